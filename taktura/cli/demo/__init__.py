"""The demo company: a telephone-answering service in Hamburg that also resells cloud services.

`accounts.csv` names the sub-accounts of the FOCUS sample data (FinOps Foundation and FOCUS contributors, CC BY 4.0), so
that the sample file finds its customers; three of its sub-accounts are left out on purpose.
"""
