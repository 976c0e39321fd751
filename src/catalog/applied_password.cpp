#include "catalog/applied_password.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/file.hpp"

namespace boathouse::catalog {
namespace {

constexpr int kIterations = 100'000;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDigestBytes = 32;

using Bytes = std::array<unsigned char, kSaltBytes + kDigestBytes>;  // salt, then digest

std::string file_of(const std::string& secrets_dir) {
    return secrets_dir + "/applied-password";
}

// Fills the digest from the salt.
bool derive(const Secret& password, Bytes& bytes) {
    const std::string& text = password.reveal();
    return PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), bytes.data(), kSaltBytes, kIterations,
                             EVP_sha256(), kDigestBytes, bytes.data() + kSaltBytes) == 1;
}

std::optional<Bytes> read_bytes(const std::string& path) {
    const auto contents = read_file(path);
    Bytes bytes;
    if (!contents || contents->size() != bytes.size()) return std::nullopt;
    std::copy(contents->begin(), contents->end(), bytes.begin());
    return bytes;
}

}  // namespace

bool is_applied_password(const std::string& secrets_dir, const Secret& password) {
    const auto remembered = read_bytes(file_of(secrets_dir));
    if (!remembered) return false;
    Bytes derived = *remembered;
    return derive(password, derived) && CRYPTO_memcmp(derived.data(), remembered->data(), derived.size()) == 0;
}

Status remember_applied_password(const std::string& secrets_dir, const Secret& password) {
    Bytes bytes;
    if (RAND_bytes(bytes.data(), kSaltBytes) != 1 || !derive(password, bytes)) {
        return Error{ErrorKind::internal, "OpenSSL cannot derive a digest of the password", "", ""};
    }
    std::error_code ignored;
    if (std::filesystem::create_directories(secrets_dir, ignored)) ::chmod(secrets_dir.c_str(), 0700);

    return write_file(file_of(secrets_dir), std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                      0600);
}

}  // namespace boathouse::catalog
