import com.itextpdf.text.Rectangle;
import com.itextpdf.text.pdf.*;
import com.itextpdf.text.pdf.security.*;
import java.io.*;
import java.security.*;
import java.security.cert.Certificate;

/** Signs each file of a folder by iText 5, visibly: KEYS.p12 PASSWORD FROM TO. */
public class IText {
    public static void main(String[] given) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(given[0]), given[1].toCharArray());
        String alias = keys.aliases().nextElement();
        PrivateKey key = (PrivateKey) keys.getKey(alias, given[1].toCharArray());
        Certificate[] chain = keys.getCertificateChain(alias);
        for (File file : new File(given[2]).listFiles()) {
            try (OutputStream out = new FileOutputStream(new File(given[3], file.getName()))) {
                PdfReader reader = new PdfReader(file.getPath());
                PdfStamper stamper = PdfStamper.createSignature(reader, out, '\0', null, true);
                PdfSignatureAppearance look = stamper.getSignatureAppearance();
                look.setReason("Saya setuju");
                look.setVisibleSignature(new Rectangle(300, 300, 450, 360), 1, "Notaris");
                MakeSignature.signDetached(look, new BouncyCastleDigest(),
                    new PrivateKeySignature(key, "SHA256", null), chain, null, null, null, 0,
                    MakeSignature.CryptoStandard.CMS);
            } catch (Throwable cause) {
                System.err.println(file.getName() + ": " + cause);
                new File(given[3], file.getName()).delete();
            }
        }
    }
}
