#include "relay/relay.hpp"

#include "pgwire/backend.hpp"

namespace boathouse::relay {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;
using pgwire::Message;

namespace {

QueryError lost() {
    QueryError error{"08006", "the catalog's PostgreSQL, which answers for the system catalogs, has gone away"};
    error.hint = "It may be starting again; try again.";
    return error;
}

QueryError cancelled() {
    return engine::interruption();
}

// Rows in memory, handed out as the client takes them.
class RelayedRows final : public engine::ResultStream {
  public:
    explicit RelayedRows(std::vector<std::int16_t> formats) : formats_(std::move(formats)) {}

    const std::vector<pgwire::ColumnDescription>& columns() const override { return columns_; }
    // Values are as the statement asked for them when it ran: a cursor's, in text.
    void set_formats(const std::vector<std::int16_t>& formats) override { wanted_ = formats; }
    Outcome<void> set_copy(const engine::CopyOptions&) override {
        return QueryError{"0A000", "COPY is not possible from the system catalogs"};
    }
    std::string command_tag() const override { return tag_; }
    Outcome<void> settle() override { return {}; }

    Outcome<Progress> encode(Buffer& out, Limits limits) override {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (pgwire::format_of(wanted_, i) == pgwire::format_of(formats_, i)) continue;
            return QueryError{"0A000", "a cursor over the system catalogs gives its rows in text, not in binary"};
        }
        out.put(notices_);
        notices_.clear();
        Progress progress;
        while (!rows_.empty() && progress.rows < limits.rows_max && out.size() < limits.bytes_max) {
            const Message row(out, 'D');
            out.put(rows_.front());
            rows_.pop_front();
            ++progress.rows;
        }
        progress.finished = rows_.empty();
        return progress;
    }

    // Takes one message of the answer.
    Outcome<void> take(Frame& frame) {
        pgwire::Reader reader(frame.body);
        switch (frame.type) {
            case 'T':
                describe(reader, columns_);
                return {};
            case 'D':
                bytes_ += frame.body.size();
                if (bytes_ > kRowBytesMax)
                    return QueryError{"54000", "an answer about the system catalogs takes more than 256 MB"};
                rows_.push_back(std::move(frame.body));
                return {};
            case 'C':
                tag_ = reader.cstring();
                return {};
            case 'N':
                add_notice(frame);
                return {};
            case 'G':
            case 'H':
            case 'W':
                return QueryError{"0A000", "COPY is not possible from the system catalogs"};
            default:
                return {};
        }
    }

    // RowDescription.
    static void describe(pgwire::Reader& reader, std::vector<pgwire::ColumnDescription>& columns) {
        const std::int16_t count = reader.i16();
        for (std::int16_t i = 0; i < count && reader.ok(); ++i) {
            pgwire::ColumnDescription& column = columns.emplace_back();
            column.name = reader.cstring();
            column.table = static_cast<std::uint32_t>(reader.i32());
            column.number = reader.i16();
            column.type = static_cast<std::uint32_t>(reader.i32());
            column.length = reader.i16();
            column.modifier = reader.i32();
            reader.i16();  // the format, which Bind decides
        }
    }

  private:
    void add_notice(const Frame& frame) {
        Buffer bytes;
        {
            const Message notice(bytes, 'N');
            bytes.put(frame.body);
        }
        notices_ += bytes.view();
    }

    const std::vector<std::int16_t> formats_;
    std::vector<std::int16_t> wanted_;
    std::vector<pgwire::ColumnDescription> columns_;
    std::deque<std::string> rows_;
    std::size_t bytes_ = 0;
    std::string notices_;
    std::string tag_ = "SELECT 0";
};

void put_parse(Buffer& out, std::string_view text, const std::vector<std::uint32_t>& types) {
    const Message message(out, 'P');
    out.put_cstring("");
    out.put_cstring(text);
    out.put_i16(static_cast<std::int16_t>(types.size()));
    for (const std::uint32_t type : types) out.put_i32(static_cast<std::int32_t>(type));
}

void put_formats(Buffer& out, const std::vector<std::int16_t>& formats) {
    out.put_i16(static_cast<std::int16_t>(formats.size()));
    for (const std::int16_t format : formats) out.put_i16(format);
}

void put_bind(Buffer& out, const Arguments& arguments) {
    const Message message(out, 'B');
    out.put_cstring("");
    out.put_cstring("");
    put_formats(out, arguments.parameter_formats);
    out.put_i16(static_cast<std::int16_t>(arguments.parameters.size()));
    for (const auto& parameter : arguments.parameters) {
        out.put_i32(parameter ? static_cast<std::int32_t>(parameter->size()) : -1);
        if (parameter) out.put(*parameter);
    }
    put_formats(out, arguments.result_formats);
}

// 'S' a statement, 'P' a portal: the unnamed one.
void put_describe(Buffer& out, char kind) {
    const Message message(out, 'D');
    out.put_byte(kind);
    out.put_cstring("");
}

void put_execute(Buffer& out) {
    const Message message(out, 'E');
    out.put_cstring("");
    out.put_i32(0);
}

// 'text' for PostgreSQL, with standard_conforming_strings as it is by default.
std::string literal(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
}

// What makes a connection the client's. What is about the catalogs only reads; PostgreSQL sees to that.
std::string preparation(const Settings& settings, bool read_only) {
    std::string sql = "SELECT pg_catalog.set_config('default_transaction_read_only', '" +
                      std::string(read_only ? "on" : "off") + "', false)";
    for (const auto& [name, value] : settings) {
        sql += ", pg_catalog.set_config(" + literal(name) + ", " + literal(value) + ", false)";
    }
    return sql;
}

}  // namespace

// Marks the connection as the one that cancel() means.
class Relay::Active {
  public:
    Active(Relay& relay, ServerConnection& connection) : relay_(relay) {
        const std::lock_guard lock(relay_.mutex_);
        relay_.active_ = &connection;
        too_late_ = relay_.cancelled_;
    }
    // The request to cancel came before there was something to cancel.
    bool too_late() const { return too_late_; }
    ~Active() {
        const std::lock_guard lock(relay_.mutex_);
        relay_.active_ = nullptr;
    }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;

  private:
    Relay& relay_;
    bool too_late_ = false;
};

void Relay::clear_cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = false;
}

void Relay::cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (active_ != nullptr) active_->cancel();
}

Outcome<std::unique_ptr<engine::ResultStream>> Relay::answer(Loan loan, std::string_view text,
                                                             std::string_view messages,
                                                             const std::vector<std::int16_t>& formats) {
    ServerConnection& connection = loan.connection();
    auto rows = std::make_unique<RelayedRows>(formats);
    std::optional<QueryError> failed;
    {
        const Active active(*this, connection);
        if (active.too_late()) return cancelled();
        if (!connection.send(messages)) return lost();
        if (auto prepared = connection.settle(); !prepared) return prepared.error();
        while (true) {
            auto frame = connection.receive();
            if (!frame) return failed.value_or(lost());
            if (frame->type == 'Z') break;
            if (frame->type == 'E') {
                failed = decode_error(frame->body, text);
            } else if (auto taken = rows->take(*frame); !taken) {
                return taken.error();  // with the rest unread, the connection is closed
            }
        }
    }
    loan.set_reusable();
    if (failed) return *failed;
    return std::unique_ptr<engine::ResultStream>(std::move(rows));
}

Outcome<std::shared_ptr<RelayedStatement>> Relay::prepare(std::string_view text,
                                                          const std::vector<std::uint32_t>& types,
                                                          const Settings& settings) {
    auto loan = pool_.borrow(role_, preparation(settings, true));
    if (!loan) return loan.error();
    ServerConnection& connection = loan->connection();
    auto statement = std::make_shared<RelayedStatement>();
    statement->text = text;
    statement->given_types = types;
    Buffer messages;
    put_parse(messages, text, types);
    put_describe(messages, 'S');
    { const Message sync(messages, 'S'); }
    const Active active(*this, connection);
    if (active.too_late()) return cancelled();
    if (!connection.send(messages.view())) return lost();
    if (auto prepared = connection.settle(); !prepared) return prepared.error();
    std::optional<QueryError> failed;
    while (true) {
        const auto frame = connection.receive();
        if (!frame) return failed.value_or(lost());
        pgwire::Reader reader(frame->body);
        if (frame->type == 'Z') break;
        if (frame->type == 'E') failed = decode_error(frame->body, text);
        if (frame->type == 'T') RelayedRows::describe(reader, statement->columns);
        if (frame->type != 't') continue;
        const std::int16_t count = reader.i16();
        for (std::int16_t i = 0; i < count; ++i)
            statement->parameter_types.push_back(static_cast<std::uint32_t>(reader.i32()));
    }
    loan->set_reusable();
    if (failed) return *failed;
    return statement;
}

Outcome<std::unique_ptr<engine::ResultStream>> Relay::run(const RelayedStatement& statement, const Arguments& arguments,
                                                          const Settings& settings) {
    auto loan = pool_.borrow(role_, preparation(settings, !statement.changes_roles));
    if (!loan) return loan.error();
    if (statement.changes_roles) {
        // Not with settings that PostgreSQL has refused.
        if (auto prepared = loan->connection().settle(); !prepared) return prepared.error();
    }
    Buffer messages;
    put_parse(messages, statement.text, statement.given_types);
    put_bind(messages, arguments);
    put_describe(messages, 'P');
    put_execute(messages);
    { const Message sync(messages, 'S'); }
    return answer(std::move(*loan), statement.text, messages.view(), arguments.result_formats);
}

}  // namespace boathouse::relay
