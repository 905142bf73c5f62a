import java.io.*;
import java.security.*;
import java.security.cert.Certificate;
import java.util.*;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.*;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.*;

/** Signs each file of a folder by PDFBox: KEYS.p12 PASSWORD FROM TO. */
public class PdfBox {
    public static void main(String[] given) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(given[0]), given[1].toCharArray());
        String alias = keys.aliases().nextElement();
        PrivateKey key = (PrivateKey) keys.getKey(alias, given[1].toCharArray());
        Certificate[] chain = keys.getCertificateChain(alias);
        SignatureInterface signer = content -> {
            try {
                CMSSignedDataGenerator made = new CMSSignedDataGenerator();
                made.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
                    new JcaDigestCalculatorProviderBuilder().build()).build(
                        new JcaContentSignerBuilder("SHA256WithRSA").build(key),
                        (java.security.cert.X509Certificate) chain[0]));
                made.addCertificates(new JcaCertStore(Arrays.asList(chain)));
                return made.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
            } catch (Exception cause) {
                throw new IOException(cause);
            }
        };
        for (File file : new File(given[2]).listFiles()) {
            try (PDDocument document = PDDocument.load(file);
                    OutputStream out = new FileOutputStream(new File(given[3], file.getName()))) {
                PDSignature signature = new PDSignature();
                signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
                signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
                signature.setName("Notaris");
                signature.setSignDate(Calendar.getInstance());
                document.addSignature(signature, signer);
                document.saveIncremental(out);
            } catch (Exception cause) {
                System.err.println(file.getName() + ": " + cause);
                new File(given[3], file.getName()).delete();
            }
        }
    }
}
