#include "supervisor/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freer<&BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freer<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<&X509_EXTENSION_free>>;

constexpr long kTenYearsSeconds = 10L * 365 * 24 * 3600;

Error bad(const std::string& file, const std::string& what, const std::string& hint) {
    char reason[256] = "";
    if (const auto code = ERR_get_error()) ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return Error{.kind = ErrorKind::configuration, .message = file + " " + what, .hint = hint, .detail = reason};
}

Error openssl_failed(const std::string& what) {
    Error error = bad("OpenSSL", what, "");
    error.kind = ErrorKind::internal;
    return error;
}

// A key with a passphrase is refused rather than asked for on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Certificate parse_certificate(const std::string& pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Certificate(PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr));
}

Key parse_key(const std::string& pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr));
}

std::string time_text(const ASN1_TIME* time) {
    const Bio bio(BIO_new(BIO_s_mem()));
    ASN1_TIME_print(bio.get(), time);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
}

// The pair's texts are good to serve with, now.
Status check_pair(const CertificateFiles& files, const std::string& certificate_pem, const std::string& key_pem) {
    const Certificate certificate = parse_certificate(certificate_pem);
    if (!certificate) {
        return bad(files.certificate, "holds no certificate in PEM form",
                   "it must begin with '-----BEGIN CERTIFICATE-----'; the server's own certificate comes first");
    }
    const Key key = parse_key(key_pem);
    if (!key) {
        return bad(files.key, "holds no private key in PEM form without a passphrase",
                   "convert it with: openssl pkey -in KEY -out NEW_KEY");
    }
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        return bad(files.key, "is not the key of the certificate " + files.certificate,
                   "give the certificate and the key that were made together");
    }
    const ASN1_TIME* until = X509_get0_notAfter(certificate.get());
    if (X509_cmp_current_time(until) <= 0) {
        return bad(files.certificate, "expired on " + time_text(until), "renew the certificate");
    }
    const ASN1_TIME* from = X509_get0_notBefore(certificate.get());
    if (X509_cmp_current_time(from) > 0) {
        return bad(files.certificate, "is not valid before " + time_text(from), "check this machine's clock");
    }
    return {};
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string subject_alternative_names(const std::vector<std::string>& names) {
    std::string text = "DNS:localhost,IP:127.0.0.1,IP:::1";
    for (const auto& name : names) {
        const bool is_address =
            name.find(':') != std::string::npos || name.find_first_not_of("0123456789.") == std::string::npos;
        if (!name.empty() && name != "localhost" && name != "127.0.0.1" && name != "::1") {
            text += (is_address ? ",IP:" : ",DNS:") + name;
        }
    }
    return text;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& names) {
    unsigned char serial[8];
    if (RAND_bytes(serial, sizeof(serial)) != 1) return false;
    serial[0] &= 0x7f;  // positive (RFC 5280, 4.1.2.2)
    const std::unique_ptr<BIGNUM, Freer<&BN_free>> number(BN_bin2bn(serial, sizeof(serial), nullptr));
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>("Boathouse");
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&  // clients' clocks differ
           X509_gmtime_adj(X509_getm_notAfter(certificate), kTenYearsSeconds) != nullptr &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, NID_subject_alt_name, subject_alternative_names(names)) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

template <class Write>
std::string to_pem(const Write& write) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (write(bio.get()) != 1) return "";
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
}

Result<std::string> read_given(const std::string& path, const char* option) {
    auto pem = read_file(path);
    if (pem) return pem;
    Error error = pem.error();
    error.kind = ErrorKind::configuration;
    error.hint = std::string(option) + " must name a file that the user who starts the box can read";
    return error;
}

}  // namespace

Result<CertificatePair> read_certificate(const CertificateFiles& given) {
    auto certificate = read_given(given.certificate, "tls_cert_file");
    if (!certificate) return certificate.error();
    auto key = read_given(given.key, "tls_key_file");
    if (!key) return key.error();
    const auto checked = check_pair(given, *certificate, *key);
    if (!checked) return checked.error();
    return CertificatePair{.certificate_pem = std::move(*certificate), .key_pem = Secret(std::move(*key))};
}

Status write_certificate(const CertificateFiles& files, const CertificatePair& pair) {
    // The key goes first: a certificate that is there means that its key is.
    const auto key_written = write_file(files.key, pair.key_pem.reveal(), 0600);
    if (!key_written) return key_written.error();
    return write_file(files.certificate, pair.certificate_pem, 0644);
}

Status ensure_self_signed(const CertificateFiles& files, const std::vector<std::string>& names) {
    const auto old_certificate = read_file(files.certificate);
    const auto old_key = read_file(files.key);
    if (old_certificate && old_key && check_pair(files, *old_certificate, *old_key)) return {};
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    if (!key || !certificate || !fill(certificate.get(), key.get(), names)) {
        return openssl_failed("cannot generate a self-signed certificate");
    }
    const std::string certificate_pem = to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
    const std::string key_pem = to_pem(
        [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    if (certificate_pem.empty() || key_pem.empty()) return openssl_failed("cannot write a self-signed certificate");
    return write_certificate(files, {.certificate_pem = certificate_pem, .key_pem = Secret(key_pem)});
}

}  // namespace boathouse::supervisor
