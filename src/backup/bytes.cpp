#include "backup/bytes.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <vector>

namespace boathouse::backup {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;
// zlib's window of 32 kB, with gzip's header and trailer (deflateInit2's windowBits in zlib.h).
constexpr int kGzipWindow = 15 + 16;
// A catalog's pages and log shrink to a fifth already, and a backup under load must leave the processor to others.
constexpr int kLevel = 1;

class GzipSink final : public Sink {
  public:
    explicit GzipSink(std::unique_ptr<Sink> below) : below_(std::move(below)), buffer_(kBufferBytes) {
        is_ready_ = ::deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    }
    GzipSink(const GzipSink&) = delete;
    GzipSink& operator=(const GzipSink&) = delete;
    ~GzipSink() override {
        if (is_ready_) ::deflateEnd(&stream_);
    }

    Status write(std::string_view bytes) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        return deflate_all(Z_NO_FLUSH);
    }
    Status finish() override {
        if (auto done = deflate_all(Z_FINISH); !done) return done;
        return below_->finish();
    }

  private:
    Status deflate_all(int flush) {
        if (!is_ready_) return Error{ErrorKind::limit, "there is no memory left to compress with", "", ""};
        do {
            stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
            stream_.avail_out = static_cast<uInt>(buffer_.size());
            ::deflate(&stream_, flush);
            const std::size_t made = buffer_.size() - stream_.avail_out;
            if (auto written = below_->write({buffer_.data(), made}); !written) return written;
        } while (stream_.avail_out == 0);
        return {};
    }

    std::unique_ptr<Sink> below_;
    std::vector<char> buffer_;
    z_stream stream_{};
    bool is_ready_ = false;
};

class GunzipSource final : public Source {
  public:
    GunzipSource(std::unique_ptr<Source> below, std::string name)
        : below_(std::move(below)), name_(std::move(name)), buffer_(kBufferBytes) {
        is_ready_ = ::inflateInit2(&stream_, kGzipWindow) == Z_OK;
    }
    GunzipSource(const GunzipSource&) = delete;
    GunzipSource& operator=(const GunzipSource&) = delete;
    ~GunzipSource() override {
        if (is_ready_) ::inflateEnd(&stream_);
    }

    Result<std::size_t> read(char* buffer, std::size_t size) override {
        if (!is_ready_) return Error{ErrorKind::limit, "there is no memory left to decompress with", "", ""};
        stream_.next_out = reinterpret_cast<Bytef*>(buffer);
        stream_.avail_out = static_cast<uInt>(size);
        while (!has_ended_ && stream_.avail_out == size) {
            if (auto filled = fill(); !filled) return filled.error();
            const int code = ::inflate(&stream_, Z_NO_FLUSH);
            has_ended_ = code == Z_STREAM_END;
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return damaged("is damaged");
        }
        if (has_ended_ && stream_.avail_out == size) return read_rest();
        return size - stream_.avail_out;
    }

  private:
    // At its end every byte has been read, or the layers below have not seen theirs.
    Result<std::size_t> read_rest() {
        const auto more = below_->read(buffer_.data(), buffer_.size());
        if (!more) return more.error();
        if (*more != 0 || stream_.avail_in != 0) return damaged("goes on after its end");
        return std::size_t{0};
    }
    Status fill() {
        if (stream_.avail_in != 0) return {};
        const auto size = below_->read(buffer_.data(), buffer_.size());
        if (!size) return size.error();
        if (*size == 0) return damaged("is cut off");
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(*size);
        return {};
    }
    Error damaged(const std::string& how) const {
        return {ErrorKind::corrupt, name_ + " " + how, "Take another backup, or another copy of this one.", ""};
    }

    std::unique_ptr<Source> below_;
    const std::string name_;
    std::vector<char> buffer_;
    z_stream stream_{};
    bool is_ready_ = false;
    bool has_ended_ = false;
};

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += kDigits[bytes[i] >> 4U];
        text += kDigits[bytes[i] & 15U];
    }
    return text;
}

struct ContextCloser {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};

}  // namespace

Result<std::size_t> read_full(Source& source, char* buffer, std::size_t size) {
    std::size_t filled = 0;
    while (filled < size) {
        auto count = source.read(buffer + filled, size - filled);
        if (!count) return count;
        if (*count == 0) break;
        filled += *count;
    }
    return filled;
}

Result<long long> copy(Source& source, Sink& sink) {
    std::vector<char> buffer(kBufferBytes);
    long long total = 0;
    while (true) {
        const auto count = source.read(buffer.data(), buffer.size());
        if (!count) return count.error();
        if (*count == 0) return total;
        if (auto written = sink.write({buffer.data(), *count}); !written) return written.error();
        total += static_cast<long long>(*count);
    }
}

std::unique_ptr<Sink> gzip_sink(std::unique_ptr<Sink> below) {
    return std::make_unique<GzipSink>(std::move(below));
}

std::unique_ptr<Source> gunzip_source(std::unique_ptr<Source> below, std::string name) {
    return std::make_unique<GunzipSource>(std::move(below), std::move(name));
}

struct DigestSink::State {
    State() : context(::EVP_MD_CTX_new()) { ::EVP_DigestInit_ex(context.get(), ::EVP_sha256(), nullptr); }
    void add(std::string_view bytes) { ::EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()); }
    std::string end() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned int size = 0;
        ::EVP_DigestFinal_ex(context.get(), digest.data(), &size);
        return hexadecimal(digest.data(), size);
    }
    std::unique_ptr<EVP_MD_CTX, ContextCloser> context;
};

DigestSink::DigestSink(std::unique_ptr<Sink> below) : below_(std::move(below)), state_(std::make_unique<State>()) {}
DigestSink::~DigestSink() = default;

Status DigestSink::write(std::string_view bytes) {
    state_->add(bytes);
    bytes_ += static_cast<long long>(bytes.size());
    return below_->write(bytes);
}

Status DigestSink::finish() {
    sha256_ = state_->end();
    return below_->finish();
}

namespace {

class NullSink final : public Sink {
  public:
    Status write(std::string_view /*bytes*/) override { return {}; }
    Status finish() override { return {}; }
};

}  // namespace

Result<Digest> digest_of(Source& source) {
    DigestSink sink(std::make_unique<NullSink>());
    if (const auto copied = copy(source, sink); !copied) return copied.error();
    if (auto finished = sink.finish(); !finished) return finished.error();
    return Digest{sink.bytes(), sink.sha256()};
}

}  // namespace boathouse::backup
