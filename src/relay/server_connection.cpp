#include "relay/server_connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace boathouse::relay {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

QueryError lost() {
    QueryError error{"08006", "the catalog's PostgreSQL, which answers for the system catalogs, has gone away"};
    error.hint = "It may be starting again; try again.";
    return error;
}

FileDescriptor connect_to(const std::string& path, int flags) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!socket || path.size() >= sizeof address.sun_path) return FileDescriptor();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return FileDescriptor();
    return socket;
}

// A packet without a type: its length, then what `write` puts.
template <class Write>
Buffer packet(Write write) {
    Buffer bytes;
    bytes.put_i32(0);
    write(bytes);
    bytes.set_i32(0, static_cast<std::int32_t>(bytes.size()));
    return bytes;
}

}  // namespace

QueryError decode_error(std::string_view body, std::string_view text) {
    QueryError error{"XX000", "PostgreSQL reports an error without a text"};
    pgwire::Reader reader(body);
    while (const std::uint8_t field = reader.byte()) {
        const std::string value(reader.cstring());
        if (!reader.ok()) break;
        if (field == 'C') error.sqlstate = value;
        if (field == 'M') error.message = value;
        if (field == 'D') error.detail = value;
        if (field == 'H') error.hint = value;
        if (field == 'W') error.context = value;
        if (field == 'R') error.routine = value;
        if (field != 'P') continue;
        std::size_t characters = std::strtoul(value.c_str(), nullptr, 10);
        std::size_t byte = 0;
        for (; byte < text.size() && characters > 0; ++byte) {
            if ((static_cast<unsigned char>(text[byte]) & 0xC0) != 0x80 && --characters == 0) break;
        }
        error.position = byte + 1;
    }
    return error;
}

ServerConnection::~ServerConnection() {
    static constexpr char kTerminate[] = {'X', 0, 0, 0, 4};
    if (socket_) static_cast<void>(::send(socket_.get(), kTerminate, sizeof kTerminate, MSG_NOSIGNAL | MSG_DONTWAIT));
}

Outcome<std::unique_ptr<ServerConnection>> ServerConnection::open(const catalog::Endpoint& endpoint) {
    std::string path = endpoint.host + "/.s.PGSQL." + endpoint.port;
    FileDescriptor socket = connect_to(path, 0);
    if (!socket) return lost();
    std::unique_ptr<ServerConnection> connection(
        new ServerConnection(std::move(socket), std::move(path), endpoint.user));
    if (auto started = connection->start(endpoint.database); !started) return started.error();
    return connection;
}

// https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.3
Outcome<void> ServerConnection::start(const std::string& database) {
    const Buffer startup = packet([&](Buffer& bytes) {
        bytes.put_i32(pgwire::kProtocolMajor << 16);
        for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"user", role_},
                                          {"database", database},
                                          {"client_encoding", "UTF8"}}) {
            bytes.put_cstring(name);
            bytes.put_cstring(value);
        }
        bytes.put_byte('\0');
    });
    if (!send(startup.view())) return lost();
    while (true) {
        const auto frame = receive();
        if (!frame) return lost();
        pgwire::Reader reader(frame->body);
        if (frame->type == 'E') return decode_error(frame->body, {});
        if (frame->type == 'Z') return {};
        if (frame->type == 'K') {
            process_id_ = reader.i32();
            secret_key_ = reader.i32();
        }
        if (frame->type == 'R' && reader.i32() != 0)
            return QueryError{"28000",
                              "the catalog's PostgreSQL asks the box for a password of role \"" + role_ + "\""};
    }
}

Status ServerConnection::send(std::string_view messages) {
    std::string with_deferred;
    if (deferred_.size() > 0) {
        with_deferred = std::string(deferred_.view()).append(messages);
        deferred_ = Buffer();
        messages = with_deferred;
    }
    while (!messages.empty()) {
        const ssize_t sent = ::send(socket_.get(), messages.data(), messages.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return Error{ErrorKind::unavailable, lost().message};
        messages.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<Frame> ServerConnection::receive() {
    while (true) {
        std::size_t consumed = 0;
        auto frame =
            pgwire::take_frame(std::string_view(received_).substr(taken_), false, pgwire::kMessageBytesMax, consumed);
        if (!frame) return frame.error();
        if (*frame) {
            taken_ += consumed;
            return std::move(**frame);
        }
        received_.erase(0, taken_);
        taken_ = 0;
        const std::size_t had = received_.size();
        received_.resize(had + kReadBytes);
        const ssize_t count = ::recv(socket_.get(), received_.data() + had, kReadBytes, 0);
        received_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return Error{ErrorKind::unavailable, lost().message};
    }
}

void ServerConnection::defer(std::string_view sql) {
    const pgwire::Message message(deferred_, 'Q');
    deferred_.put_cstring(sql);
    ++unread_;
}

Outcome<void> ServerConnection::settle() {
    if (!send({})) return lost();
    std::optional<QueryError> failed;
    while (unread_ > 0) {
        const auto frame = receive();
        if (!frame) return failed.value_or(lost());
        if (frame->type == 'E' && !failed) failed = decode_error(frame->body, {});
        if (frame->type == 'Z') --unread_;
    }
    if (failed) return *failed;
    return {};
}

bool ServerConnection::is_idle() {
    if (!settle() || taken_ < received_.size()) return false;
    char next = 0;
    return ::recv(socket_.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void ServerConnection::cancel() {
    cancelled_ = true;
    const FileDescriptor socket = connect_to(path_, SOCK_NONBLOCK);
    if (!socket) return;
    const Buffer request = packet([this](Buffer& bytes) {
        bytes.put_i32(pgwire::kCancelRequest);
        bytes.put_i32(process_id_);
        bytes.put_i32(secret_key_);
    });
    static_cast<void>(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL));
}

}  // namespace boathouse::relay
