"""Small PDFs made on the spot, so that no test needs a stranger's file."""

import io

import pikepdf


def pdf(pages: int = 1, *, words: str = "Surat Lamaran", password: str | None = None) -> bytes:
    """A plain A4 document with some words on each page, in a file of its own every time."""
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
    if password:
        encryption = pikepdf.Encryption(owner=password, user=password)
    document.save(out, encryption=encryption)
    return out.getvalue()
