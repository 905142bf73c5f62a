"""Comparison of the typed name with the name that a bank confirms."""

import pytest

from meterai.refunds.holders import NameVerdict, compare

SAME, NEAR, OTHER = NameVerdict.SAME, NameVerdict.NEAR, NameVerdict.OTHER


@pytest.mark.parametrize(
    ("typed", "confirmed", "verdict"),
    [
        ("Ani Lestari", "ANI LESTARI", SAME),
        ("  ani   lestari ", "Ani Lestari.", SAME),
        ("Ma'ruf Amin", "MARUF AMIN", SAME),
        ("Nur Hayati", "NURHAYATI", SAME),
        ("Anne-Marie Sitompul", "ANNE MARIE SITOMPUL", SAME),
        ("José Da Costa", "JOSE DA COSTA", SAME),
        ("H. Budi Santoso, S.Kom., M.T.", "BUDI SANTOSO", SAME),
        ("Budi Santoso", "DRS H BUDI SANTOSO MM", SAME),
        ("dr. Siti Aminah, Sp.PD", "SITI AMINAH", NEAR),
        ("Budi Santoso", "BPK BUDI SANTOSO", SAME),
        ("Hartono H.", "HARTONO HADI", NEAR),
        ("A. Lestari", "ANI LESTARI", NEAR),
        ("Muhammad Rizky Hakim", "MUHAMMAD R HAKIM", NEAR),
        ("M. Rizky", "MUHAMMAD RIZKY", NEAR),
        ("Moch. Rizky", "MUHAMMAD RIZKY", SAME),
        ("Raden Ajeng Kartini Djojoadhiningrat", "RADEN AJENG KARTINI DJOJOADHIN", SAME),
        ("Dwi Putri Wulandari Kusumaningrum", "DWI PUTRI WULANDARI", SAME),
        ("Dwi Putri Wulandari Kusumaningrum", "DWI PUTRI WULANDARI ", SAME),
        ("PT Maju Jaya Abadi", "PT. MAJU JAYA ABADI", SAME),
        ("Sukarno", "SUKARNO", SAME),
        ("Budi Santoso", "SANTOSO BUDI", NEAR),
        ("Budi", "BUDI SANTOSO", OTHER),
        ("Siti", "SITI NUR RAHAYU", OTHER),
        ("H. Dewi", "DEWI LESTARI", OTHER),
        ("Siti Rahayu", "SITI NUR RAHAYU", NEAR),
        ("B SANTOSO", "BUDI SANTOSO", NEAR),
        ("Budi Santoso", "B SANTOSO", NEAR),
        ("Budi Santoso", "BUDI", NEAR),
        ("M. Rizky Hakim Kusumaningrum", "MUHAMMAD RIZKY HAKIM", NEAR),
        ("Budi Eko Santoso", "BUDI SANTOSO", NEAR),
        ("Budi Santosa", "BUDI SANTOSO", NEAR),
        ("Bdui Santoso", "BUDI SANTOSO", NEAR),
        ("Sutrisno", "SUTRINO", NEAR),
        ("Soekarno", "SUKARNO", NEAR),
        ("Tjahjo Kumolo", "CAHJO KUMOLO", NEAR),
        ("Budi Santoso", "ANI LESTARI", OTHER),
        ("Budi Santoso", "BUDI HARTONO", OTHER),
        ("Muhammad Rizki", "MUHAMMAD IQBAL", OTHER),
        ("A B", "ANI BUDI", OTHER),
        ("A", "ANI LESTARI", OTHER),
        ("Budi", "RUDI", OTHER),
        ("PT Maju Jaya", "CV MAJU JAYA", OTHER),
        ("Dwi Putri", "DWI PUTRA WIJAYA KUSUMA", OTHER),
        ("", "ANI LESTARI", OTHER),
        ("H.", "H", SAME),
        ("***", "ANI LESTARI", OTHER),
        ("\U0001f600 \U0001f600", "ANI LESTARI", OTHER),
        ("<b>Ani</b> Lestari", "ANI LESTARI", NEAR),
    ],
)
def test_names_are_compared_despite_usual_differences(
    typed: str, confirmed: str, verdict: NameVerdict
) -> None:
    assert compare(typed, confirmed) is verdict
