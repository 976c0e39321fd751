#include "catalog/applied_password.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

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
    Bytes bytes;
    std::ifstream in(path, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
        return std::nullopt;
    return bytes;
}

Error cannot_write(const std::string& path) {
    const int code = errno;
    return {code == ENOSPC || code == EDQUOT ? ErrorKind::limit : ErrorKind::permission,
            "Cannot write " + path + ": " + std::strerror(code), "Make the data directory writable for the box's user.",
            ""};
}

bool write_all(int fd, const Bytes& bytes) {
    return ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
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

    const std::string path = file_of(secrets_dir);
    const std::string draft = path + ".new";
    const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return cannot_write(draft);
    const bool written = write_all(fd, bytes);
    const Error failure = written ? Error{} : cannot_write(draft);
    ::close(fd);
    if (!written) return failure;
    if (std::rename(draft.c_str(), path.c_str()) != 0) return cannot_write(path);
    return {};
}

}  // namespace boathouse::catalog
