#include "pgwire/frontend.hpp"

#include <cstring>

#include "pgwire/buffer.hpp"

namespace boathouse::pgwire {

namespace {

Error malformed(const char* what) {
    return {ErrorKind::limit,
            std::string("invalid ") + what + " message",
            "The client and the server disagree on the protocol.",
            {}};
}

}  // namespace

Result<std::optional<Frame>> take_frame(std::string_view bytes, bool startup, std::size_t bytes_max,
                                        std::size_t& consumed) {
    consumed = 0;
    const std::size_t header = startup ? 4 : 5;
    if (bytes.size() < header) return std::optional<Frame>();
    Reader reader(bytes.substr(startup ? 0 : 1));
    const std::int32_t length = reader.i32();
    if (length < 4 || static_cast<std::size_t>(length) - 4 > bytes_max) {
        return Error{ErrorKind::limit,
                     "invalid length of message: " + std::to_string(length),
                     "A message may have " + std::to_string(bytes_max) + " bytes.",
                     {}};
    }
    const std::size_t total = header - 4 + static_cast<std::size_t>(length);
    if (bytes.size() < total) return std::optional<Frame>();
    consumed = total;
    return std::optional<Frame>(Frame{startup ? '\0' : bytes[0], std::string(bytes.substr(header, total - header))});
}

template <class T>
T Reader::integer() {
    T value = 0;
    const std::string_view raw = bytes(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return network_order(value);
}

std::uint8_t Reader::byte() {
    const std::string_view raw = bytes(1);
    return raw.empty() ? 0 : static_cast<std::uint8_t>(raw[0]);
}

std::int16_t Reader::i16() {
    return integer<std::int16_t>();
}
std::int32_t Reader::i32() {
    return integer<std::int32_t>();
}
std::int64_t Reader::i64() {
    return integer<std::int64_t>();
}

std::string_view Reader::cstring() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
        ok_ = false;
        rest_ = {};
        return {};
    }
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
}

std::string_view Reader::bytes(std::size_t count) {
    if (count > rest_.size()) {
        ok_ = false;
        rest_ = {};
        return {};
    }
    const std::string_view raw = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return raw;
}

std::string_view Reader::rest() {
    return bytes(rest_.size());
}

Result<Startup> decode_startup(const Frame& frame) {
    Reader reader(frame.body);
    Startup startup;
    startup.version = reader.i32();
    if (startup.version == kCancelRequest) {
        startup.process_id = reader.i32();
        startup.secret_key = reader.i32();
        if (!reader.complete()) return malformed("CancelRequest");
        return startup;
    }
    if (startup.version == kSslRequest || startup.version == kGssEncRequest) {
        if (!reader.complete()) return malformed("encryption request");
        return startup;
    }
    while (reader.ok()) {
        const std::string_view name = reader.cstring();
        if (name.empty()) break;
        startup.parameters[std::string(name)] = std::string(reader.cstring());
    }
    if (!reader.complete()) return malformed("StartupMessage");
    return startup;
}

Result<std::string_view> decode_query(const Frame& frame) {
    Reader reader(frame.body);
    const std::string_view query = reader.cstring();
    if (!reader.complete()) return malformed("Query");
    return query;
}

Result<Parse> decode_parse(const Frame& frame) {
    Reader reader(frame.body);
    Parse parse;
    parse.statement = reader.cstring();
    parse.query = reader.cstring();
    const std::size_t count = static_cast<std::uint16_t>(reader.i16());
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        parse.parameter_types.push_back(static_cast<std::uint32_t>(reader.i32()));
    }
    if (!reader.complete()) return malformed("Parse");
    return parse;
}

namespace {

std::vector<std::int16_t> read_formats(Reader& reader) {
    std::vector<std::int16_t> formats;
    const std::size_t count = static_cast<std::uint16_t>(reader.i16());
    for (std::size_t i = 0; i < count && reader.ok(); ++i) formats.push_back(reader.i16());
    return formats;
}

bool known_formats(const std::vector<std::int16_t>& formats) {
    for (const std::int16_t format : formats) {
        if (format != 0 && format != 1) return false;
    }
    return true;
}

}  // namespace

Result<Bind> decode_bind(const Frame& frame) {
    Reader reader(frame.body);
    Bind bind;
    bind.portal = reader.cstring();
    bind.statement = reader.cstring();
    bind.parameter_formats = read_formats(reader);
    const std::size_t count = static_cast<std::uint16_t>(reader.i16());
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const std::int32_t length = reader.i32();
        if (length == -1) {
            bind.parameters.emplace_back();
        } else if (length < 0) {
            return malformed("Bind");
        } else {
            bind.parameters.emplace_back(reader.bytes(static_cast<std::size_t>(length)));
        }
    }
    bind.result_formats = read_formats(reader);
    if (!reader.complete() || !known_formats(bind.parameter_formats) || !known_formats(bind.result_formats)) {
        return malformed("Bind");
    }
    if (bind.parameter_formats.size() > 1 && bind.parameter_formats.size() != bind.parameters.size()) {
        return malformed("Bind");
    }
    return bind;
}

std::string_view bound_statement(const Frame& frame) {
    Reader reader(frame.body);
    reader.cstring();
    return reader.cstring();
}

Result<Target> decode_target(const Frame& frame) {
    Reader reader(frame.body);
    Target target;
    target.kind = static_cast<char>(reader.byte());
    target.name = reader.cstring();
    if (!reader.complete() || (target.kind != 'S' && target.kind != 'P')) {
        return malformed(frame.type == 'C' ? "Close" : "Describe");
    }
    return target;
}

Result<Execute> decode_execute(const Frame& frame) {
    Reader reader(frame.body);
    Execute execute;
    execute.portal = reader.cstring();
    execute.rows_max = reader.i32();
    if (!reader.complete()) return malformed("Execute");
    return execute;
}

Result<SaslInitial> decode_sasl_initial(const Frame& frame) {
    Reader reader(frame.body);
    SaslInitial initial;
    initial.mechanism = reader.cstring();
    const std::int32_t length = reader.i32();
    if (length >= 0) initial.response = reader.bytes(static_cast<std::size_t>(length));
    if (!reader.complete()) return malformed("SASLInitialResponse");
    return initial;
}

std::int16_t format_of(const std::vector<std::int16_t>& formats, std::size_t index) {
    if (formats.empty()) return 0;
    if (formats.size() == 1) return formats[0];
    return index < formats.size() ? formats[index] : std::int16_t{0};
}

}  // namespace boathouse::pgwire
