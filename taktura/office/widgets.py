"""How form fields are drawn: Tabler's classes by kind of widget, so that no form has to say so."""

from typing import Any

from django.forms.renderers import DjangoTemplates

CLASSES = {"checkbox": "form-check-input", "radio": "form-check-input", "select": "form-select"}


class OfficeRenderer(DjangoTemplates):
    """Adds the class of its kind to each widget; links help and errors to the field for screen readers."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """Draw a widget, a form, or a part of one."""
        widget = context.get("widget")
        if isinstance(widget, dict) and template_name.startswith("django/forms/widgets/"):
            attrs = dict(widget.get("attrs", {}))
            kind = "select" if template_name.endswith("/select.html") else widget.get("type", "text")
            if kind != "hidden" and not template_name.endswith(("_option.html", "/radio.html", "checkbox_select.html")):
                own = CLASSES.get(kind, "form-control")
                attrs["class"] = f"{own} {attrs['class']}" if attrs.get("class") else own
                widget["attrs"] = attrs
            elif template_name.endswith("_option.html") and kind in CLASSES:
                widget["attrs"] = {**attrs, "class": CLASSES[kind]}
        return super().render(template_name, context, request)
