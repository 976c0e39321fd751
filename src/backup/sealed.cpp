#include "backup/sealed.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <vector>

namespace boathouse::backup {
namespace {

constexpr std::string_view kMagic = "boathouse sealed 1\n";
constexpr std::size_t kChunkBytes = 65536;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;

using Key = std::array<unsigned char, kKeyBytes>;

struct CipherCloser {
    void operator()(EVP_CIPHER_CTX* context) const { ::EVP_CIPHER_CTX_free(context); }
};
struct KeyCloser {
    void operator()(EVP_PKEY_CTX* context) const { ::EVP_PKEY_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherCloser>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>((c | 0x20) - 'a') + 10U;
}

std::string from_hexadecimal(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        out += static_cast<char>(digit(text[i]) << 4U | digit(text[i + 1]));
    }
    return out;
}

std::string to_hexadecimal(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : bytes) {
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
    }
    return out;
}

// RFC 5869.
bool derive(const Secret& key, std::string_view salt, std::string_view purpose, unsigned char* out, std::size_t size) {
    const std::string bytes = from_hexadecimal(key.reveal());
    const std::unique_ptr<EVP_PKEY_CTX, KeyCloser> context(::EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
    return context && ::EVP_PKEY_derive_init(context.get()) == 1 &&
           ::EVP_PKEY_CTX_set_hkdf_md(context.get(), ::EVP_sha256()) == 1 &&
           ::EVP_PKEY_CTX_set1_hkdf_salt(context.get(), bytes_of(salt), static_cast<int>(salt.size())) == 1 &&
           ::EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(bytes), static_cast<int>(bytes.size())) == 1 &&
           ::EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(purpose), static_cast<int>(purpose.size())) == 1 &&
           ::EVP_PKEY_derive(context.get(), out, &size) == 1;
}

std::string raw_key_id(const Secret& key) {
    std::array<unsigned char, kKeyIdBytes> id{};
    if (!derive(key, "", "boathouse backup key id", id.data(), id.size())) return "";
    return {reinterpret_cast<const char*>(id.data()), id.size()};
}

std::array<unsigned char, kNonceBytes> nonce_of(std::uint64_t number, bool is_last) {
    std::array<unsigned char, kNonceBytes> nonce{};
    for (std::size_t i = 0; i < sizeof(number); ++i) {
        nonce[kNonceBytes - 2 - i] = static_cast<unsigned char>(number >> (8 * i));
    }
    nonce[kNonceBytes - 1] = is_last ? 1 : 0;
    return nonce;
}

Error no_crypto(const char* what) {
    return {ErrorKind::internal, std::string("OpenSSL could not ") + what, "", ""};
}

class SealSink final : public Sink {
  public:
    SealSink(std::unique_ptr<Sink> below, const Key& key) : below_(std::move(below)), key_(key) {}

    Status write(std::string_view bytes) override {
        while (!bytes.empty()) {
            // A full chunk is written only when more follows: the last one is marked.
            if (plain_.size() == kChunkBytes) {
                if (auto sealed = seal(false); !sealed) return sealed;
            }
            const std::size_t part = std::min(bytes.size(), kChunkBytes - plain_.size());
            plain_.append(bytes.substr(0, part));
            bytes.remove_prefix(part);
        }
        return {};
    }
    Status finish() override {
        if (auto sealed = seal(true); !sealed) return sealed;
        return below_->finish();
    }

  private:
    Status seal(bool is_last) {
        const auto nonce = nonce_of(number_++, is_last);
        std::string sealed(plain_.size() + kTagBytes, '\0');
        auto* out = reinterpret_cast<unsigned char*>(sealed.data());
        int size = 0;
        int rest = 0;
        const bool done =
            ::EVP_EncryptInit_ex(cipher_.get(), ::EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1 &&
            ::EVP_EncryptUpdate(cipher_.get(), out, &size, bytes_of(plain_), static_cast<int>(plain_.size())) == 1 &&
            ::EVP_EncryptFinal_ex(cipher_.get(), out + size, &rest) == 1 &&
            ::EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + plain_.size()) == 1;
        if (!done) return no_crypto("encrypt");
        plain_.clear();
        return below_->write(sealed);
    }

    std::unique_ptr<Sink> below_;
    const Key key_;
    Cipher cipher_{::EVP_CIPHER_CTX_new()};
    std::string plain_;
    std::uint64_t number_ = 0;
};

class UnsealSource final : public Source {
  public:
    UnsealSource(std::unique_ptr<Source> below, const Key& key, std::string name)
        : below_(std::move(below)), key_(key), name_(std::move(name)) {}

    Result<std::size_t> read(char* buffer, std::size_t size) override {
        while (position_ == plain_.size()) {
            if (is_last_) return std::size_t{0};
            if (auto opened = open(); !opened) return opened.error();
        }
        const std::size_t part = std::min(size, plain_.size() - position_);
        plain_.copy(buffer, part, position_);
        position_ += part;
        return part;
    }

  private:
    // One chunk, and the first byte after it, by which the last one is known.
    Status open() {
        constexpr std::size_t kSealedBytes = kChunkBytes + kTagBytes;
        sealed_.resize(kSealedBytes + 1);
        const auto count = read_full(*below_, sealed_.data() + ahead_, sealed_.size() - ahead_);
        if (!count) return count.error();
        const std::size_t all = *count + ahead_;
        is_last_ = all <= kSealedBytes;
        const std::size_t chunk = std::min(all, kSealedBytes);
        if (chunk < kTagBytes || !decrypt(chunk)) return damaged();
        ahead_ = all - chunk;
        if (ahead_ != 0) sealed_[0] = sealed_[kSealedBytes];
        position_ = 0;
        return {};
    }
    bool decrypt(std::size_t chunk) {
        const auto nonce = nonce_of(number_++, is_last_);
        const std::size_t plain_size = chunk - kTagBytes;
        plain_.resize(plain_size);
        auto* out = reinterpret_cast<unsigned char*>(plain_.data());
        int size = 0;
        int rest = 0;
        return ::EVP_DecryptInit_ex(cipher_.get(), ::EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1 &&
               ::EVP_DecryptUpdate(cipher_.get(), out, &size, bytes_of(sealed_), static_cast<int>(plain_size)) == 1 &&
               ::EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, sealed_.data() + plain_size) ==
                   1 &&
               ::EVP_DecryptFinal_ex(cipher_.get(), out + size, &rest) == 1;
    }
    Error damaged() const {
        return {ErrorKind::corrupt,
                name_ + " is damaged or cut off: its chunk " + std::to_string(number_) + " is not what was written",
                "Take another backup, or another copy of this one.", ""};
    }

    std::unique_ptr<Source> below_;
    const Key key_;
    const std::string name_;
    Cipher cipher_{::EVP_CIPHER_CTX_new()};
    std::string sealed_;
    std::string plain_;
    std::size_t position_ = 0;
    std::size_t ahead_ = 0;  // bytes of the next chunk that lie at the front of sealed_: 0 or 1
    std::uint64_t number_ = 0;
    bool is_last_ = false;
};

}  // namespace

std::string key_id(const Secret& key) {
    return key.empty() ? "" : to_hexadecimal(raw_key_id(key));
}

Result<std::unique_ptr<Sink>> seal_sink(std::unique_ptr<Sink> below, const Secret& key) {
    std::string salt(kSaltBytes, '\0');
    Key file_key{};
    if (::RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1 ||
        !derive(key, salt, "boathouse backup file", file_key.data(), file_key.size())) {
        return no_crypto("make a key");
    }
    if (auto written = below->write(std::string(kMagic) + raw_key_id(key) + salt); !written) return written.error();
    return std::unique_ptr<Sink>(std::make_unique<SealSink>(std::move(below), file_key));
}

Result<std::unique_ptr<Source>> unseal_source(std::unique_ptr<Source> below, const Secret& key, std::string name) {
    std::string header(kMagic.size() + kKeyIdBytes + kSaltBytes, '\0');
    const auto size = read_full(*below, header.data(), header.size());
    if (!size) return size.error();
    if (*size != header.size() || !header.starts_with(kMagic)) {
        return Error{ErrorKind::corrupt, name + " is no sealed file, or cut off within its header",
                     "Take another backup, or another copy of this one.", ""};
    }
    if (key.empty()) {
        return Error{ErrorKind::permission, name + " is encrypted, and no key is given",
                     "Set BOATHOUSE_BACKUP_KEY to the key that it was made with.", ""};
    }
    const std::string id = header.substr(kMagic.size(), kKeyIdBytes);
    if (id != raw_key_id(key)) {
        return Error{
            ErrorKind::permission,
            name + " is encrypted with the key " + to_hexadecimal(id) + ", and the one given is " + key_id(key),
            "Set BOATHOUSE_BACKUP_KEY to the key that it was made with; the names are of the keys' digests.", ""};
    }
    Key file_key{};
    if (!derive(key, header.substr(kMagic.size() + kKeyIdBytes), "boathouse backup file", file_key.data(),
                file_key.size())) {
        return no_crypto("derive a key");
    }
    return std::unique_ptr<Source>(std::make_unique<UnsealSource>(std::move(below), file_key, std::move(name)));
}

long long sealed_bytes(long long bytes) {
    constexpr long long kHeader{kMagic.size() + kKeyIdBytes + kSaltBytes};
    constexpr auto kChunk = static_cast<long long>(kChunkBytes);
    const long long chunks = bytes == 0 ? 1 : (bytes + kChunk - 1) / kChunk;
    return kHeader + bytes + chunks * static_cast<long long>(kTagBytes);
}

}  // namespace boathouse::backup
