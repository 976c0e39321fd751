// What the server sends: one function a message of the protocol
// (https://www.postgresql.org/docs/15/protocol-message-formats.html), appended to a Buffer.
//
// Rows are not here: engine/row_encoder.hpp writes them column by column. Pure functions, any thread; nothing fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pgwire/buffer.hpp"

namespace boathouse::pgwire {

// A message being written: its length is filled in when the scope ends.
class Message {
  public:
    Message(Buffer& out, char type) : out_(out) {
        out_.put_byte(type);
        length_at_ = out_.size();
        out_.put_i32(0);
    }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    ~Message() { out_.set_i32(length_at_, static_cast<std::int32_t>(out_.size() - length_at_)); }

  private:
    Buffer& out_;
    std::size_t length_at_;
};

struct ColumnDescription {
    std::string name;
    std::uint32_t table = 0;
    std::int16_t number = 0;
    std::uint32_t type = 25;
    std::int16_t length = -1;
    std::int32_t modifier = -1;
};

enum class Severity { error, fatal, notice, warning };

struct Report {
    Severity severity = Severity::error;
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    std::string context;
    std::string routine{};     // of PostgreSQL's source: drivers know some errors by it
    std::size_t position = 0;  // of the character in the client's statement, from 1; 0: none
};

void put_authentication_ok(Buffer& out);
void put_authentication_cleartext(Buffer& out);
void put_authentication_sasl(Buffer& out, const std::vector<std::string>& mechanisms);
void put_authentication_sasl_continue(Buffer& out, std::string_view data);
void put_authentication_sasl_final(Buffer& out, std::string_view data);
void put_backend_key(Buffer& out, std::int32_t process_id, std::int32_t secret_key);
void put_parameter_status(Buffer& out, std::string_view name, std::string_view value);
// `version` is the newest that we speak, as a start-up packet has it (3.0 is 196608): what PostgreSQL sends, and libpq
// reads, where the documentation says "minor version".
void put_negotiate_version(Buffer& out, std::int32_t version, const std::vector<std::string>& unknown_options);
// NotificationResponse.
void put_notification(Buffer& out, std::int32_t process_id, std::string_view channel, std::string_view payload);
// 'I' outside a transaction, 'T' inside, 'E' inside a failed one.
void put_ready(Buffer& out, char transaction_status);
void put_report(Buffer& out, const Report& report);
void put_command_complete(Buffer& out, std::string_view tag);
void put_row_description(Buffer& out, const std::vector<ColumnDescription>& columns,
                         const std::vector<std::int16_t>& formats);
void put_parameter_description(Buffer& out, const std::vector<std::uint32_t>& types);
// DataRow of text values; for answers that no query gives, such as SHOW.
void put_text_row(Buffer& out, const std::vector<std::string>& values);
// 'G' CopyInResponse, 'H' CopyOutResponse.
void put_copy_response(Buffer& out, char type, std::int16_t format, std::size_t columns);

// Messages without a body: '1' ParseComplete, '2' BindComplete, '3' CloseComplete, 'n' NoData, 'I' EmptyQueryResponse,
// 's' PortalSuspended, 'c' CopyDone.
void put_empty(Buffer& out, char type);

}  // namespace boathouse::pgwire
