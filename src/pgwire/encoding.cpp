#include "pgwire/encoding.hpp"

#include <iconv.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>

namespace boathouse::pgwire {

namespace {

struct Encoding {
    std::string_view name;  // PostgreSQL's, in small letters and digits alone
    const char* iconv;
};

// PostgreSQL's table 24.1, without MULE_INTERNAL, which iconv does not know.
constexpr std::array kEncodings = {
    Encoding{"utf8", ""},
    Encoding{"unicode", ""},
    Encoding{"sqlascii", ""},
    Encoding{"big5", "BIG5"},
    Encoding{"euccn", "EUC-CN"},
    Encoding{"eucjp", "EUC-JP"},
    Encoding{"euckr", "EUC-KR"},
    Encoding{"euctw", "EUC-TW"},
    Encoding{"gb18030", "GB18030"},
    Encoding{"gbk", "GBK"},
    Encoding{"iso88595", "ISO-8859-5"},
    Encoding{"iso88596", "ISO-8859-6"},
    Encoding{"iso88597", "ISO-8859-7"},
    Encoding{"iso88598", "ISO-8859-8"},
    Encoding{"johab", "JOHAB"},
    Encoding{"koi8r", "KOI8-R"},
    Encoding{"koi8", "KOI8-R"},
    Encoding{"koi8u", "KOI8-U"},
    Encoding{"latin1", "ISO-8859-1"},
    Encoding{"iso88591", "ISO-8859-1"},
    Encoding{"latin2", "ISO-8859-2"},
    Encoding{"latin3", "ISO-8859-3"},
    Encoding{"latin4", "ISO-8859-4"},
    Encoding{"latin5", "ISO-8859-9"},
    Encoding{"latin6", "ISO-8859-10"},
    Encoding{"latin7", "ISO-8859-13"},
    Encoding{"latin8", "ISO-8859-14"},
    Encoding{"latin9", "ISO-8859-15"},
    Encoding{"iso885915", "ISO-8859-15"},
    Encoding{"latin10", "ISO-8859-16"},
    Encoding{"sjis", "CP932"},
    Encoding{"uhc", "UHC"},
    Encoding{"win866", "CP866"},
    Encoding{"win874", "CP874"},
    Encoding{"win1250", "CP1250"},
    Encoding{"win1251", "CP1251"},
    Encoding{"win1252", "CP1252"},
    Encoding{"win1253", "CP1253"},
    Encoding{"win1254", "CP1254"},
    Encoding{"win1255", "CP1255"},
    Encoding{"win1256", "CP1256"},
    Encoding{"win1257", "CP1257"},
    Encoding{"win1258", "CP1258"},
};

constexpr std::size_t kCharacterBytesMax = 8;

const char* name_or_utf8(const std::string& name) {
    return name.empty() ? "UTF-8" : name.c_str();
}

}  // namespace

std::optional<std::string> iconv_name(std::string_view name) {
    std::string plain;
    for (const char byte : name) {
        if (std::isalnum(static_cast<unsigned char>(byte)) != 0)
            plain += static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    }
    for (const Encoding& encoding : kEncodings) {
        if (encoding.name == plain) return encoding.iconv;
    }
    return std::nullopt;
}

struct Recoder::Impl {
    // iconv_open() says -1 where it knows no such pair.
    bool knows_encoding() const { return reinterpret_cast<std::intptr_t>(converter) != -1; }

    iconv_t converter;
    std::string rest;  // the beginning of a character
};

Recoder::Recoder(const std::string& from, const std::string& to)
    : impl_(std::make_unique<Impl>(Impl{iconv_open(name_or_utf8(to), name_or_utf8(from)), {}})) {}

Recoder::~Recoder() {
    if (impl_->knows_encoding()) iconv_close(impl_->converter);
}

Result<std::string> Recoder::convert(std::string_view bytes) {
    if (!impl_->knows_encoding()) return Error{ErrorKind::configuration, "iconv lacks this encoding", {}, {}};
    std::string input = std::move(impl_->rest);
    impl_->rest.clear();
    input.append(bytes);
    std::string output(input.size() * 4 + kCharacterBytesMax, '\0');
    char* from = input.data();
    std::size_t left = input.size();
    char* to = output.data();
    std::size_t room = output.size();
    if (iconv(impl_->converter, &from, &left, &to, &room) == static_cast<std::size_t>(-1)) {
        if (errno != EINVAL || left >= kCharacterBytesMax)
            return Error{ErrorKind::corrupt, "invalid byte sequence, or a character without an equal", {}, {}};
        impl_->rest.assign(from, left);
    }
    output.resize(output.size() - room);
    return output;
}

Status Recoder::finish() const {
    if (impl_->rest.empty()) return {};
    return Error{ErrorKind::corrupt, "half a character at the end of the data", {}, {}};
}

}  // namespace boathouse::pgwire
