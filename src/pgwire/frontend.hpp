// What clients send, decoded: PostgreSQL's frontend/backend protocol 3.0, "Message Formats"
// (https://www.postgresql.org/docs/15/protocol-message-formats.html).
//
// take_frame() cuts one message off received bytes; decode_*() read its body. Nothing here trusts a length: a body is
// read through a Reader that ends where the message ends, and a frame longer than the limit is refused before its
// bytes are awaited. Views point into the frame that was decoded. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boathouse::pgwire {

inline constexpr std::int32_t kProtocolMajor = 3;
inline constexpr std::int32_t kProtocolVersion = kProtocolMajor << 16;  // 3.0
inline constexpr std::int32_t kSslRequest = 80877103;
inline constexpr std::int32_t kGssEncRequest = 80877104;
inline constexpr std::int32_t kCancelRequest = 80877102;

// PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
inline constexpr std::size_t kStartupBytesMax = 10000;
// A message after log-in: long statements, large parameters. PostgreSQL's own bound is 1 GB.
inline constexpr std::size_t kMessageBytesMax = 256u << 20;
// A message before log-in is complete.
inline constexpr std::size_t kAuthenticationBytesMax = 65536;
inline constexpr std::size_t kParametersMax = 65535;

struct Frame {
    char type = 0;  // 0: a start-up packet, which has no type byte
    std::string body;
};

// One message from the front of `bytes`; `consumed` tells how many bytes it took. nullopt: more bytes are needed. Fails
// on a length that is below four or above `bytes_max`.
Result<std::optional<Frame>> take_frame(std::string_view bytes, bool startup, std::size_t bytes_max,
                                        std::size_t& consumed);

// Reads a body front to back. After a short read every further read gives zero values and ok() is false.
class Reader {
  public:
    explicit Reader(std::string_view body) : rest_(body) {}

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }
    // All was there and nothing is left.
    bool complete() const { return ok_ && rest_.empty(); }

    std::uint8_t byte();
    std::int16_t i16();
    std::int32_t i32();
    std::int64_t i64();
    std::string_view cstring();
    std::string_view bytes(std::size_t count);
    std::string_view rest();

  private:
    template <class T>
    T integer();
    std::string_view rest_;
    bool ok_ = true;
};

struct Startup {
    std::int32_t version = 0;  // major << 16 | minor, or one of the request codes above
    std::map<std::string, std::string> parameters;
    std::int32_t process_id = 0;  // of a cancel request
    std::int32_t secret_key = 0;
};

struct Parse {
    std::string_view statement;
    std::string_view query;
    std::vector<std::uint32_t> parameter_types;  // 0: not said
};

struct Bind {
    std::string_view portal;
    std::string_view statement;
    std::vector<std::int16_t> parameter_formats;  // none, one for all, or one each
    std::vector<std::optional<std::string_view>> parameters;
    std::vector<std::int16_t> result_formats;
};

// Describe and Close: 'S' a prepared statement, 'P' a portal.
struct Target {
    char kind = 0;
    std::string_view name;
};

struct Execute {
    std::string_view portal;
    std::int32_t rows_max = 0;  // 0: all
};

struct SaslInitial {
    std::string_view mechanism;
    std::optional<std::string_view> response;
};

Result<Startup> decode_startup(const Frame& frame);
Result<std::string_view> decode_query(const Frame& frame);
Result<Parse> decode_parse(const Frame& frame);
Result<Bind> decode_bind(const Frame& frame);
// The statement's name alone, of a message that is not checked.
std::string_view bound_statement(const Frame& frame);
Result<Target> decode_target(const Frame& frame);
Result<Execute> decode_execute(const Frame& frame);
Result<SaslInitial> decode_sasl_initial(const Frame& frame);

// The format of value `index` by the protocol's rule of none, one or one each.
std::int16_t format_of(const std::vector<std::int16_t>& formats, std::size_t index);

}  // namespace boathouse::pgwire
