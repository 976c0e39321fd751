#include "pgwire/backend.hpp"

#include "pgwire/frontend.hpp"

namespace boathouse::pgwire {

namespace {

constexpr std::int32_t kAuthenticationOk = 0;
constexpr std::int32_t kAuthenticationCleartext = 3;
constexpr std::int32_t kAuthenticationSasl = 10;
constexpr std::int32_t kAuthenticationSaslContinue = 11;
constexpr std::int32_t kAuthenticationSaslFinal = 12;

std::string_view severity_name(Severity severity) {
    switch (severity) {
        case Severity::error:
            return "ERROR";
        case Severity::fatal:
            return "FATAL";
        case Severity::notice:
            return "NOTICE";
        case Severity::warning:
            return "WARNING";
    }
    return "ERROR";
}

void put_field(Buffer& out, char code, std::string_view text) {
    if (text.empty()) return;
    out.put_byte(code);
    // A zero byte would end the field early.
    for (const char byte : text) out.put_byte(byte == '\0' ? ' ' : byte);
    out.put_byte('\0');
}

}  // namespace

void put_authentication_ok(Buffer& out) {
    Message message(out, 'R');
    out.put_i32(kAuthenticationOk);
}

void put_authentication_cleartext(Buffer& out) {
    Message message(out, 'R');
    out.put_i32(kAuthenticationCleartext);
}

void put_authentication_sasl(Buffer& out, const std::vector<std::string>& mechanisms) {
    Message message(out, 'R');
    out.put_i32(kAuthenticationSasl);
    for (const std::string& mechanism : mechanisms) out.put_cstring(mechanism);
    out.put_byte('\0');
}

void put_authentication_sasl_continue(Buffer& out, std::string_view data) {
    Message message(out, 'R');
    out.put_i32(kAuthenticationSaslContinue);
    out.put(data);
}

void put_authentication_sasl_final(Buffer& out, std::string_view data) {
    Message message(out, 'R');
    out.put_i32(kAuthenticationSaslFinal);
    out.put(data);
}

void put_backend_key(Buffer& out, std::int32_t process_id, std::int32_t secret_key) {
    Message message(out, 'K');
    out.put_i32(process_id);
    out.put_i32(secret_key);
}

void put_parameter_status(Buffer& out, std::string_view name, std::string_view value) {
    Message message(out, 'S');
    out.put_cstring(name);
    out.put_cstring(value);
}

void put_notification(Buffer& out, std::int32_t process_id, std::string_view channel, std::string_view payload) {
    Message message(out, 'A');
    out.put_i32(process_id);
    out.put_cstring(channel);
    out.put_cstring(payload);
}

void put_negotiate_version(Buffer& out, std::int32_t version, const std::vector<std::string>& unknown_options) {
    Message message(out, 'v');
    out.put_i32(version);
    out.put_i32(static_cast<std::int32_t>(unknown_options.size()));
    for (const std::string& option : unknown_options) out.put_cstring(option);
}

void put_ready(Buffer& out, char transaction_status) {
    Message message(out, 'Z');
    out.put_byte(transaction_status);
}

void put_report(Buffer& out, const Report& report) {
    const bool is_error = report.severity == Severity::error || report.severity == Severity::fatal;
    Message message(out, is_error ? 'E' : 'N');
    put_field(out, 'S', severity_name(report.severity));
    put_field(out, 'V', severity_name(report.severity));
    put_field(out, 'C', report.sqlstate);
    put_field(out, 'M', report.message.empty() ? "unknown error" : report.message);
    put_field(out, 'D', report.detail);
    put_field(out, 'H', report.hint);
    put_field(out, 'W', report.context);
    if (report.position > 0) put_field(out, 'P', std::to_string(report.position));
    if (!report.routine.empty()) put_field(out, 'R', report.routine);
    out.put_byte('\0');
}

void put_command_complete(Buffer& out, std::string_view tag) {
    Message message(out, 'C');
    out.put_cstring(tag);
}

void put_row_description(Buffer& out, const std::vector<ColumnDescription>& columns,
                         const std::vector<std::int16_t>& formats) {
    Message message(out, 'T');
    out.put_i16(static_cast<std::int16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const ColumnDescription& column = columns[i];
        out.put_cstring(column.name);
        out.put_i32(static_cast<std::int32_t>(column.table));
        out.put_i16(column.number);
        out.put_i32(static_cast<std::int32_t>(column.type));
        out.put_i16(column.length);
        out.put_i32(column.modifier);
        out.put_i16(format_of(formats, i));
    }
}

void put_parameter_description(Buffer& out, const std::vector<std::uint32_t>& types) {
    Message message(out, 't');
    out.put_i16(static_cast<std::int16_t>(types.size()));
    for (const std::uint32_t type : types) out.put_i32(static_cast<std::int32_t>(type));
}

void put_text_row(Buffer& out, const std::vector<std::string>& values) {
    Message message(out, 'D');
    out.put_i16(static_cast<std::int16_t>(values.size()));
    for (const std::string& value : values) {
        out.put_i32(static_cast<std::int32_t>(value.size()));
        out.put(value);
    }
}

void put_copy_response(Buffer& out, char type, std::int16_t format, std::size_t columns) {
    Message message(out, type);
    out.put_byte(static_cast<char>(format));
    out.put_i16(static_cast<std::int16_t>(columns));
    for (std::size_t i = 0; i < columns; ++i) out.put_i16(format);
}

void put_empty(Buffer& out, char type) {
    Message message(out, type);
}

}  // namespace boathouse::pgwire
