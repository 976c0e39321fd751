// The certificate that PostgreSQL serves with: the operator's, or a self-signed one generated once.
//
// The operator's is read while the box is still root and copied into <data_dir>/tls/, so that a key which only root may
// read works for a PostgreSQL that is not root. Both are checked with OpenSSL before anything is started. Owned by the
// supervisor's one thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace boathouse::supervisor {

struct CertificateFiles {
    std::string certificate;
    std::string key;
};

struct CertificatePair {
    std::string certificate_pem;
    Secret key_pem;
};

// Reads and checks the operator's pair: PEM, the key belongs to the certificate, it is valid now and its key has no
// passphrase. Errors (configuration) name the file and what is wrong with it.
Result<CertificatePair> read_certificate(const CertificateFiles& given);

// The key with mode 0600. Errors: permission, limit (disk full).
Status write_certificate(const CertificateFiles& files, const CertificatePair& pair);

// A self-signed pair for `names` and this machine's loopback: EC P-256, ten years. Leaves an existing pair alone that
// can be read and is still valid.
Status ensure_self_signed(const CertificateFiles& files, const std::vector<std::string>& names);

}  // namespace boathouse::supervisor
