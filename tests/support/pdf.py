"""Small PDFs made by the tests themselves, so that no foreign file is needed."""

import io

import pikepdf


def pdf(
    pages: int = 1,
    *,
    words: str = "Surat Lamaran",
    password: str | None = None,
    owner_password: str = "",
) -> bytes:
    """A plain A4 document with some words on each page; every call makes different bytes.

    With `password`, opening needs it. With `owner_password` alone, everybody can read it.
    """
    document = pikepdf.new()
    for number in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        text = f"BT /F1 14 Tf 72 770 Td ({words} {number + 1}) Tj ET"
        page.Contents = document.make_stream(text.encode())
    out = io.BytesIO()
    encryption: pikepdf.Encryption | bool = False
    if password or owner_password:
        encryption = pikepdf.Encryption(owner=password or owner_password, user=password or "")
    document.save(out, encryption=encryption)
    return out.getvalue()
