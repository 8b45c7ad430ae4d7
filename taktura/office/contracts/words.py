"""What the log calls what becomes of contracts that go from one to another: English sentences, translated."""

HANDED_OVER = {
    "transfer": "Transferred to another customer",
    "take_over": "Taken over from another customer",
    "take_over_contracts": "Contracts taken over from a file",
}
