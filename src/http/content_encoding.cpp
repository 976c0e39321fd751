#include "http/content_encoding.hpp"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <boost/beast/core/string.hpp>
#include <memory>

#include "http/gatekeeper.hpp"
#include "http/problem.hpp"

namespace boathouse::http {

namespace {

using boost::beast::http::status;

constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
// zlib: a window of 32 kB, and gzip's header and trailer.
constexpr int kGzipWindowBits = 15 + 16;

enum class Outcome { whole, damaged, cut_off, too_large };

Outcome gunzip(std::string_view body, std::uint64_t bytes_max, std::string& out) {
    z_stream stream{};
    if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return Outcome::damaged;
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    std::array<char, kPieceBytes> piece;
    int result = Z_OK;
    while (true) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = piece.size();
        result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END) break;
        out.append(piece.data(), piece.size() - stream.avail_out);
        if (out.size() > bytes_max) return Outcome::too_large;
        if (result != Z_STREAM_END) continue;
        if (stream.avail_in == 0) return Outcome::whole;
        if (inflateReset(&stream) != Z_OK) return Outcome::damaged;
    }
    return result == Z_BUF_ERROR ? Outcome::cut_off : Outcome::damaged;
}

Outcome unzstd(std::string_view body, std::uint64_t bytes_max, std::string& out) {
    const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
    ZSTD_inBuffer in{body.data(), body.size(), 0};
    std::array<char, kPieceBytes> piece;
    std::size_t left = 1;
    bool filled = false;  // the piece: there may be more without more input
    while (in.pos < in.size || filled) {
        ZSTD_outBuffer to{piece.data(), piece.size(), 0};
        left = ZSTD_decompressStream(stream.get(), &to, &in);
        if (ZSTD_isError(left) != 0) return Outcome::damaged;
        out.append(piece.data(), to.pos);
        if (out.size() > bytes_max) return Outcome::too_large;
        filled = to.pos == to.size;
    }
    return left == 0 ? Outcome::whole : Outcome::cut_off;
}

}  // namespace

std::variant<std::string, Response> decode_content(std::string body, std::string_view encoding,
                                                   std::uint64_t bytes_max) {
    if (encoding.empty() || boost::beast::iequals(encoding, "identity")) return body;
    const bool is_gzip = boost::beast::iequals(encoding, "gzip") || boost::beast::iequals(encoding, "x-gzip");
    if (!is_gzip && !boost::beast::iequals(encoding, "zstd")) {
        Response refused = problem(status::unsupported_media_type,
                                   "the Content-Encoding \"" + std::string(encoding) + "\" is not known here",
                                   "Send gzip, zstd, or the plain bytes.");
        refused.headers.emplace_back("Accept-Encoding", "gzip, zstd");
        return refused;
    }
    std::string plain;
    switch (is_gzip ? gunzip(body, bytes_max, plain) : unzstd(body, bytes_max, plain)) {
        case Outcome::whole:
            return plain;
        case Outcome::too_large:
            return Gatekeeper::too_large(bytes_max);
        case Outcome::cut_off:
            return problem(status::bad_request, "the compressed body ends before its end",
                           "Nothing is written. Send it again.");
        case Outcome::damaged:
            return problem(status::bad_request,
                           "the body is not " + std::string(is_gzip ? "gzip" : "zstd") + ", or it is damaged",
                           "Nothing is written. Check Content-Encoding, and send it again.");
    }
    return plain;
}

}  // namespace boathouse::http
