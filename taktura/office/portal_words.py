"""What stored values about the customers' portal are called, by kind; see `words`."""

PORTAL = {
    "portal_allows": {
        "tickets": "Open tickets, follow and answer them",
        "book": "Book add-ons",
        "quantity": "Change quantities of add-ons",
        "notice": "Give notice, and withdraw it",
        "data": "Change name, address, e-mail and language of documents",
    },
    "portal_ticket": {
        "open": "We are working on it",
        "waiting": "We wait for your answer",
        "solved": "Solved",
        "closed": "Closed",
    },
    "portal_role": {"administrator": "Administrator", "user": "User"},
    "portal_access": {"True": "Has access", "False": "Switched off"},
    "order_state": {
        "unconfirmed": "Not confirmed yet",
        "open": "To be decided",
        "done": "Contract made",
        "refused": "Refused",
    },
    "notice_state": {"open": "To be looked at", "given": "Given", "closed": "Dealt with"},
    "notice_kind": {"ordinary": "Ordinary notice", "extraordinary": "Extraordinary notice, for an important reason"},
}
ACTIONS = {
    "invite_to_portal": "Invited to the customer portal",
    "change_portal_role": "Role in the customer portal changed",
    "end_portal_access": "Access to the customer portal switched off",
    "sign_out_of_portal": "Signed out of the customer portal everywhere",
    "set_portal_password": "Password for the customer portal set",
    "change_portal_profile": "Profile of a person changed",
    "change_portal_user": "User of the customer portal changed",
    "receive_notice": "Notice without sign-in received",
    "place_order": "Order received",
    "confirm_order": "Order confirmed",
    "approve_order": "Order approved",
    "refuse_order": "Order refused",
    "close_notice": "Notice without sign-in dealt with",
}
