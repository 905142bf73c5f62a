"""The keys that each kind of object may have that a signing program adds behind a seal; `later_objects` has the
kinds, and their sources.
"""

FIELD_KEYS = {
    *("/FT", "/T", "/TU", "/TM", "/V", "/Ff", "/Lock", "/SV", "/Kids", "/DA", "/DR", "/Q", "/Type"),
}
WIDGET_KEYS = {
    *("/Type", "/Subtype", "/Rect", "/P", "/AP", "/F", "/NM", "/M", "/Parent", "/H"),
    *("/Border", "/BS", "/MK", "/AS"),
}
PICTURE_KEYS = {
    *("/Type", "/Subtype", "/FormType", "/BBox", "/Matrix", "/Resources", "/Group", "/Name"),
    *("/Length", "/Filter", "/DecodeParms"),
    "/Bbox",  # so misspelt by one program, in pictures that are on no page
}
SIGNATURE_KEYS = {
    *("/Type", "/Filter", "/SubFilter", "/ByteRange", "/Contents", "/M", "/Name", "/Reason"),
    *("/Location", "/ContactInfo", "/Reference", "/Prop_Build", "/Prop_AuthTime"),
    *("/Prop_AuthType", "/Cert", "/R", "/V", "/Changes"),
    "/Contact",  # of one program, for /ContactInfo
}
EVIDENCE_LISTS = {"/Certs", "/OCSPs", "/CRLs"}
EVIDENCE_KEYS = {"/Type", "/VRI", *EVIDENCE_LISTS}
VRI_LISTS = {"/Cert": "/Certs", "/OCSP": "/OCSPs", "/CRL": "/CRLs"}
VRI_KEYS = {"/Type", "/TU", "/TS", *VRI_LISTS}
PROOF_KEYS = {"/Length", "/Filter", "/DecodeParms", "/Type"}
