"""ZUGFeRD / Factur-X: the XML within the PDF, a PDF/A-3 with a file attached that says the same (Factur-X 1.0, part 6).

factur-x can attach it, too, but writes the time of writing into the file; here the same document is the same bytes.
"""

import hashlib
import io
from datetime import date

from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

FILE = "factur-x.xml"
# What the metadata say of the file, and the description of these words that PDF/A asks for.
_SAID = """
<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType>
<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version>
<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""
_PROPERTY = """
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>{what}</pdfaProperty:description></rdf:li>"""
_PROPERTIES = {
    "DocumentFileName": "The name of the embedded XML document",
    "DocumentType": "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER",
    "Version": "The actual version of the standard applying to the embedded XML document",
    "ConformanceLevel": "The conformance level of the embedded XML document",
}
_END = b"</rdf:RDF>"
_EXTENSION = _SAID.format(
    properties="".join(_PROPERTY.format(name=name, what=what) for name, what in _PROPERTIES.items())
).encode()


def with_xml(pdf: bytes, xml: bytes, on: date) -> bytes:
    """Return a PDF/A-3b with a document's CII attached; `on` is the day of which the attachment says it is.

    The same values give the same bytes. Raises `ValueError` for a PDF without XMP metadata.
    """
    reader = PdfReader(io.BytesIO(pdf))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header  # pypdf's own is that of an older PDF
    root = writer.root_object
    metadata = root["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject)
    content = metadata.get_data()
    if content.count(_END) != 1:
        raise ValueError("the PDF has no XMP metadata that can be added to")
    metadata.set_data(content.replace(_END, _EXTENSION + _END))
    attached = writer._add_object(_file(writer, xml, on))
    root[NameObject("/AF")] = ArrayObject([attached])
    names = ArrayObject([TextStringObject(FILE), attached])
    root[NameObject("/Names")] = DictionaryObject(
        {NameObject("/EmbeddedFiles"): DictionaryObject({NameObject("/Names"): names})}
    )
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def _file(writer: PdfWriter, xml: bytes, on: date) -> DictionaryObject:
    """The specification of the attached file: it says the same as the pages (`Alternative`)."""
    content = DecodedStreamObject()
    content.set_data(xml)
    packed = content.flate_encode()
    packed.update(
        {
            NameObject("/Type"): NameObject("/EmbeddedFile"),
            NameObject("/Subtype"): NameObject("/text/xml"),
            NameObject("/Params"): DictionaryObject(
                {
                    NameObject("/CheckSum"): ByteStringObject(hashlib.md5(xml, usedforsecurity=False).digest()),
                    NameObject("/ModDate"): TextStringObject(f"D:{on:%Y%m%d}120000Z"),
                    NameObject("/Size"): NumberObject(len(xml)),
                }
            ),
        }
    )
    stored = writer._add_object(packed)
    return DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Filespec"),
            NameObject("/F"): TextStringObject(FILE),
            NameObject("/UF"): TextStringObject(FILE),
            NameObject("/Desc"): TextStringObject("Factur-X/ZUGFeRD invoice"),
            NameObject("/AFRelationship"): NameObject("/Alternative"),
            NameObject("/EF"): DictionaryObject({NameObject("/F"): stored, NameObject("/UF"): stored}),
        }
    )
