// One client's session: the protocol's state machine behind a connection, from the start-up packet to Terminate.
//
// Its connection owns it and calls it from one executor thread at a time: handle() with each message in turn, and
// while busy(), resume() instead, until the answer is complete. Both block as long as DuckDB or the catalog needs and
// append to `out`; a result stops at kOutputBytes so that the connection can wait for a slow client without a thread.
// interrupt() alone may be called from any thread. One handler a message, a file a family: log_in.cpp,
// simple_query.cpp, extended_query.cpp, copy.cpp; and of the session's own statements: session_statements.cpp,
// transaction.cpp, savepoint.cpp, cursor.cpp, prepare_execute.cpp, listen.cpp; of rows that are written with those of
// others: gathering.cpp. What fails is told to the client as ErrorResponse; closed() says that the conversation is
// over.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/checker.hpp"
#include "cache/answers.hpp"
#include "engine/lake.hpp"
#include "engine/session.hpp"
#include "gateway/cancel_registry.hpp"
#include "gateway/interruption.hpp"
#include "gateway/log_in.hpp"
#include "gateway/notifications.hpp"
#include "gateway/portals.hpp"
#include "gateway/prepared_statements.hpp"
#include "gateway/repeated_statements.hpp"
#include "gateway/savepoints.hpp"
#include "gateway/session_settings.hpp"
#include "gateway/sql_settings.hpp"
#include "gateway/statement.hpp"
#include "ingest/gatherer.hpp"
#include "pgwire/backend.hpp"
#include "pgwire/buffer.hpp"
#include "pgwire/frontend.hpp"
#include "relay/relay.hpp"

namespace boathouse::gateway {

// A result is encoded up to this many bytes before the client has to take some. With the row that passes it, it stays
// within a buffer of 256 KiB, which stays within a processor's cache.
inline constexpr std::size_t kOutputBytes = std::size_t{240} * 1024;

// What all sessions share; outlives them.
struct SessionServices {
    engine::Lake& lake;
    CancelRegistry& cancels;
    LogInServices log_in;
    feed::SnapshotWatch& watch;
    // Null: no mirror, DuckDB answers everything, and whoever is in may do everything.
    relay::Exchange* exchange = nullptr;
    ingest::Gatherer* gatherer = nullptr;  // null: every statement commits by itself
    cache::Answers* answers = nullptr;     // null: nothing is kept
};

// The session's connection, as the session sees it.
struct Host {
    std::function<void()> cancel;           // interrupts this very session; any thread
    std::function<void()> statement_began;  // statement_timeout counts from now
    std::function<void()> notified;         // notify() has something to say; any thread, must not block
    std::function<void()> committed;        // what waits() waited for is there; any thread
};

// The lake's schemas in a value of search_path.
std::vector<std::string> schemas_of(const std::string& path);
// Gives a new session of the engine's what its settings say.
engine::Outcome<void> start_engine(engine::Session& engine, const SessionSettings& settings);

class Session {
  public:
    Session(SessionServices& services, Peer peer, Host host);
    ~Session();

    // `sync_follows`: the next message is here already and is Sync, so that a statement may commit by itself.
    void handle(const pgwire::Frame& frame, bool sync_follows, pgwire::Buffer& out);
    bool busy() const { return (script_.has_value() && !copy_in_) || executing_.has_value() || member_ || deferred_; }
    // Busy, but not before Host::committed: its rows are being written with those of others.
    bool waits() const { return member_ && member_->fate() == ingest::Fate::waiting; }
    void resume(pgwire::Buffer& out);

    // What it takes to handle these messages, the next ones: nothing that blocks, where they are one execution of a
    // prepared INSERT that has nothing but parameters and constants, or a query whose answer is kept for ever; the same
    // where is_kept_in() says so; or a thread that may block.
    enum class Way { at_once, by_snapshot, by_thread };
    Way way_of(const std::deque<pgwire::Frame>& messages);
    // After Way::by_snapshot, of a question that was asked since: whether the answer is there for that snapshot, and
    // known to be for the session's role.
    bool is_kept_in(const cache::LakeVersion& newest);
    // The same of what is left to do now that the session need not wait any more.
    bool resumes_at_once() const;
    // Whether handle() and resume() may block from now on. Where they may not, what would stays undone, and resume()
    // does it once they may: busy(), but not waits().
    void let_block(bool may_block) { may_block_ = may_block; }

    bool closed() const { return closed_; }
    bool logged_in() const { return !log_in_; }
    // Everything is answered: the client has been told ReadyForQuery, or is to send rows of a COPY.
    bool awaits_command() const { return awaits_command_; }
    bool awaits_copy_data() const { return copy_in_ && !member_; }
    bool in_transaction() const { return transaction_ == Transaction::block || transaction_ == Transaction::failed; }
    // There is something for notify() to say.
    bool has_notifications() const { return notifications_ && notifications_->pending(); }
    // To an idle client, between statements.
    void notify(pgwire::Buffer& out);
    // How long the connection holds the answer back: log-ins after failed ones are slow.
    std::chrono::milliseconds take_answer_delay();
    // Valid once logged in, while the session does not run.
    const SessionSettings& settings() const { return *settings_; }

    // The next message is refused with this error instead of being run.
    void refuse_next(engine::QueryError error) { refusal_ = std::move(error); }
    bool refuses() const { return refusal_.has_value(); }
    // What runs, or waits to run, fails. Any thread.
    void interrupt(Interruption reason);
    bool interrupted() const { return interruption_ != Interruption::none; }
    // Nothing runs any more that an interruption could have meant.
    void forget_interruption();
    // Ends a COPY whose client is to send the rows, after interrupt().
    void interrupt_copy(pgwire::Buffer& out);

  private:
    // As ReadyForQuery tells it, and `implicit` for statements that only share a message or a pipeline.
    enum class Transaction { none, implicit, block, failed };

    // What is there of an answer before its statement runs.
    struct Kept {
        std::unique_ptr<engine::ResultStream> rows;                  // the answer; or
        std::unique_ptr<cache::Results::Computation> computation{};  // this session is to make it
    };
    // A Query message on its way.
    struct Script {
        struct Part {
            Statement statement;
            std::optional<engine::Parsed> parsed;
            std::shared_ptr<engine::Prepared> plan;            // instead, of a text that comes again and again
            std::shared_ptr<relay::RelayedStatement> relayed;  // that PostgreSQL answers
            Kept kept;
            std::size_t offset = 0;
        };
        std::string text;
        std::vector<Part> parts;
        std::size_t next = 0;
        std::optional<Answer> answer;
    };
    // How the answer to a session's own statement begins.
    struct Form {
        bool with_description = true;  // RowDescription first: the simple protocol
        std::vector<std::int16_t> formats{};
        const Portal* portal = nullptr;  // its parameters; null in the simple protocol
    };
    // What is left of it to send; nullopt: nothing, CommandComplete has been written.
    using Rest = std::optional<Answer>;
    enum class Progress { more, suspended, complete };
    // Which message waits for its rows to be committed.
    enum class Resumption { script, execute, copy, sync };

    // simple_query.cpp
    void query(const pgwire::Frame& frame, pgwire::Buffer& out);
    bool prepare_script(Script& script, pgwire::Buffer& out);
    engine::Outcome<void> prepare_part(Script::Part& part, std::string_view text, bool alone);
    void resume_script(pgwire::Buffer& out);
    engine::Outcome<bool> run_part(Script& script, Script::Part& part, pgwire::Buffer& out);
    engine::Outcome<bool> continue_part(Script& script, pgwire::Buffer& out);
    void end_script(pgwire::Buffer& out);

    // gathering.cpp
    bool gathers_at_once(const std::deque<pgwire::Frame>& messages);
    enum class Gathered { no, answered, joined };
    bool may_gather(bool is_last);
    void forget_older_shapes();
    // Instead of running an INSERT of values: takes its rows, to be committed with what shares its transaction.
    Gathered gather(std::optional<engine::NewRows> rows, Resumption resumption, bool commits, pgwire::Buffer& out);
    // When it is said whether the client may insert the rows of the present statement: with the commit, unless the
    // statement is answered before.
    engine::Session::Judged judged(bool commits) const;
    bool join(Resumption resumption);
    engine::Outcome<void> open_gathered();
    static engine::Outcome<void> fate_of(const ingest::Member& member);
    void resume_gathered(pgwire::Buffer& out);
    void resume_gathered_script(const engine::Outcome<void>& fate, bool again, pgwire::Buffer& out);
    void resume_gathered_execute(const engine::Outcome<void>& fate, bool again, pgwire::Buffer& out);
    void run_again(pgwire::Buffer& out);

    // copy.cpp
    engine::Outcome<std::unique_ptr<engine::ResultStream>> start_copy(const CopyStatement& statement,
                                                                      pgwire::Buffer& out);
    static void put_copy_header(const pgwire::CopyFormat& format, const std::vector<pgwire::ColumnDescription>& columns,
                                pgwire::Buffer& out);
    void copy_message(const pgwire::Frame& frame, pgwire::Buffer& out);
    void end_copy(pgwire::Buffer& out);
    void resume_gathered_copy(const engine::Outcome<void>& fate, bool again, pgwire::Buffer& out);
    void finish_copy(pgwire::Buffer& out);
    void complete_copy(std::uint64_t rows, pgwire::Buffer& out);
    void fail_copy(const engine::QueryError& error, pgwire::Buffer& out);

    // kept_answers.cpp
    std::optional<std::string> answer_key(std::string_view text, const Portal* portal = nullptr,
                                          const std::vector<std::uint32_t>& types = {}) const;
    std::optional<std::string> description_key(std::string_view text, const std::vector<std::uint32_t>& types) const;
    std::optional<std::string> answer_key(const std::deque<pgwire::Frame>& messages) const;
    Kept look_for_kept(const std::optional<std::string>& key);
    Kept give_kept(std::shared_ptr<const cache::KeptAnswer> answer, const std::optional<std::string>& catalog_snapshot);
    // The rows as they are, kept once they are complete if they may be.
    std::unique_ptr<engine::ResultStream> keep(std::unique_ptr<engine::ResultStream> rows, bool has_notices,
                                               Kept& kept);

    // extended_query.cpp
    void parse(const pgwire::Frame& frame, pgwire::Buffer& out);
    void bind(const pgwire::Frame& frame, pgwire::Buffer& out);
    void describe(const pgwire::Frame& frame, pgwire::Buffer& out);
    engine::Outcome<std::vector<pgwire::ColumnDescription>> columns_of(const PreparedStatement& statement);
    void execute(const pgwire::Frame& frame, bool sync_follows, pgwire::Buffer& out);
    void run_portal(const std::string& name, bool sync_follows, std::uint64_t rows_max, pgwire::Buffer& out);
    void resume_execute(pgwire::Buffer& out);
    void close(const pgwire::Frame& frame, pgwire::Buffer& out);
    void sync(pgwire::Buffer& out);
    engine::Outcome<std::shared_ptr<PreparedStatement>> prepare(std::string_view text,
                                                                const std::vector<std::uint32_t>& types);
    engine::Outcome<void> start_portal(const std::string& name, Portal& portal, bool sync_follows, pgwire::Buffer& out);
    static std::vector<engine::ParameterValue> values_of(const Portal& portal);
    engine::Outcome<void> start_copy_portal(Portal& portal, const CopyStatement& copy, pgwire::Buffer& out);
    engine::Outcome<void> describe_statement(PreparedStatement& prepared);
    engine::Outcome<void> plan(PreparedStatement& prepared, std::string_view text);
    engine::Outcome<std::shared_ptr<Rows>> run_plan(PreparedStatement& statement, const Portal& portal);
    void fail_extended(const engine::QueryError& error, pgwire::Buffer& out, std::string_view text = {});

    // session_statements.cpp: everything but EngineStatement and COPY.
    engine::Outcome<Rest> run_session_statement(const Statement& statement, const Form& form, pgwire::Buffer& out);
    engine::Outcome<std::string> run_tagged_statement(const Statement& statement, pgwire::Buffer& out);
    engine::Outcome<void> set(const SetStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> reset(const ResetStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> set_transaction(const SetTransactionStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> apply(const SettingChange& change, pgwire::Buffer& out);
    void take_back(const std::vector<SettingChange>& changes, pgwire::Buffer& out);
    engine::Outcome<void> apply_set_config(pgwire::Buffer& out);
    engine::Outcome<void> show(const ShowStatement& statement, bool with_description, pgwire::Buffer& out);
    engine::Outcome<void> discard(const DiscardStatement& statement, pgwire::Buffer& out);
    std::vector<pgwire::ColumnDescription> show_columns(const ShowStatement& statement) const;

    // prepare_execute.cpp
    engine::Outcome<void> prepare_by_name(const PrepareStatement& statement);
    engine::Outcome<Rest> execute_by_name(const ExecuteStatement& statement, const Form& form, pgwire::Buffer& out);
    engine::Outcome<std::vector<std::uint32_t>> type_oids(const std::vector<std::string>& names);
    engine::Outcome<std::vector<std::optional<std::string>>> evaluate(const InnerText& expressions);

    // cursor.cpp
    engine::Outcome<void> declare(const DeclareStatement& statement, const Form& form);
    engine::Outcome<Rest> fetch(const FetchStatement& statement, const Form& form, pgwire::Buffer& out);
    engine::Outcome<std::shared_ptr<Rows>> rows_of(Portal& portal, const std::string& name);
    engine::Outcome<std::uint64_t> skip_rows(Rows& rows, std::uint64_t count);
    engine::Outcome<void> close_cursor(const CloseStatement& statement);

    // answer.cpp
    static Answer answer_with(std::shared_ptr<Rows> rows, const Form& form, pgwire::Buffer& out);
    static Answer copy_answer(std::unique_ptr<engine::ResultStream> stream);
    engine::Outcome<Progress> send_rows(Answer& answer, std::uint64_t& rows_max, pgwire::Buffer& out);

    // introspection.cpp: what PostgreSQL answers, in the mirror.
    engine::Outcome<std::shared_ptr<relay::RelayedStatement>> relayed_statement(std::string_view text);
    relay::Relay& relay();
    relay::Settings mirror_settings() const;
    engine::Outcome<std::shared_ptr<Rows>> run_relayed(const relay::RelayedStatement& statement,
                                                       const relay::Arguments& arguments);

    // made_objects.cpp: what the client has made and committed becomes its own.
    void own_made(pgwire::Buffer& out);

    // transaction.cpp
    engine::Outcome<void> begin_block(const BeginStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> begin_implicit();
    engine::Outcome<void> begin_chained(const TransactionOptions& options);
    TransactionOptions characteristics() const;
    engine::Outcome<void> set_characteristics(const TransactionOptions& options);
    engine::Outcome<void> commit(const CommitStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> rollback(const RollbackStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> commit_engine(pgwire::Buffer& out);
    void roll_back_engine();
    engine::Outcome<void> end_implicit(pgwire::Buffer& out);
    void finish_transaction(bool committed, pgwire::Buffer& out);
    // After an error: an implicit transaction is over, a block is failed.
    void fail_transaction(pgwire::Buffer& out);
    bool refused_in_failed_block(const Statement& statement) const;
    bool read_only() const;
    char transaction_status() const;
    void put_ready(pgwire::Buffer& out);

    // listen.cpp
    engine::Outcome<void> listen(const ListenStatement& statement);
    void unlisten();
    engine::Outcome<void> start_listening();
    void settle_listening(bool committed, pgwire::Buffer& out);
    std::optional<std::string> notification_of(const feed::TableChanges& change);

    // savepoint.cpp
    engine::Outcome<void> savepoint(const SavepointStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> define_savepoint(const std::string& name);
    engine::Outcome<void> roll_back_to(const std::string& name, pgwire::Buffer& out);
    engine::Outcome<void> reopen_transaction();
    bool transaction_has_written() const;

    // session.cpp
    void welcome(pgwire::Buffer& out);
    engine::Outcome<void> open_engine();
    // Judges what the session's role may do; null: it may everything.
    access::RoleGate* privileges();
    // The next statement's time counts from now.
    void restart_clock() const;
    // Before each statement that the engine runs.
    engine::Outcome<void> arm_engine();
    void put_error(const engine::QueryError& error, pgwire::Buffer& out, std::string_view text = {},
                   std::size_t offset = 0);
    void put_notices(const std::vector<syntax::Notice>& notices, pgwire::Buffer& out);
    void put_notice(pgwire::Severity severity, const std::string& sqlstate, const std::string& message,
                    pgwire::Buffer& out);
    void protocol_error(const std::string& message, pgwire::Buffer& out);

    SessionServices& services_;
    const Peer peer_;
    const Host host_;
    std::unique_ptr<LogIn> log_in_;  // until the client is in
    bool closed_ = false;
    bool awaits_command_ = false;
    std::chrono::milliseconds answer_delay_{0};
    std::optional<engine::QueryError> refusal_;
    std::optional<CancelKey> cancel_key_;
    std::unique_ptr<SessionSettings> settings_;

    std::unique_ptr<SqlSettings> sql_settings_;  // with the engine's session, which uses both
    std::unique_ptr<access::RoleGate> gate_;     // as privileges(), once it was asked for
    // Opened at the first statement: an idle client costs no DuckDB connection.
    std::unique_ptr<engine::Session> engine_;
    std::unique_ptr<relay::Relay> relay_;  // at the first statement that PostgreSQL answers
    std::mutex engine_mutex_;              // guards the two pointers for interrupt(), not their use
    std::string last_route_;
    std::atomic<Interruption> interruption_ = Interruption::none;

    std::unique_ptr<Notifications> notifications_;  // null: it does not listen
    std::optional<bool> listens_after_commit_;      // what LISTEN and UNLISTEN of the block want
    Transaction transaction_ = Transaction::none;
    bool engine_in_transaction_ = false;  // DuckDB's own; a failed block may have lost it
    std::uint64_t writes_at_begin_ = 0;
    Savepoints savepoints_;
    std::string snapshot_;  // that the transaction reads, once a savepoint has asked for it
    PreparedStatements statements_;
    RepeatedStatements repeated_;
    Portals portals_;
    std::optional<Script> script_;
    // A COPY FROM STDIN of the script's present statement, or of an Execute.
    std::unique_ptr<engine::CopyIn> copy_in_;
    struct Executing {
        std::string portal;
        std::uint64_t rows_left = 0;
    };
    std::optional<Executing> executing_;  // an Execute message on its way
    // Rows of statements that are answered and not committed: those of a pipeline or of a script so far. Instead of a
    // transaction of DuckDB's.
    std::vector<engine::NewRows> gathered_;
    // Rows that are on their way into the lake. The pointer is under engine_mutex_ for interrupt().
    std::shared_ptr<ingest::Member> member_;
    Resumption resumption_ = Resumption::sync;  // what goes on when they are there
    std::uint64_t rows_joined_ = 0;             // of the statement that waits
    std::string portal_joined_;                 // of the Execute that waits
    // The answer to the next messages, found before they are handled; its key alone while it is not there yet.
    struct Found {
        std::string key;
        std::shared_ptr<const cache::KeptAnswer> answer{};
    };
    std::optional<Found> found_;
    bool may_block_ = true;
    bool deferred_ = false;      // the Execute of portal_joined_, until it may block
    unsigned stale_rounds_ = 0;  // of the statement that waited last
    bool run_alone_ = false;     // the present statement is not gathered
    bool skipping_to_sync_ = false;
};

}  // namespace boathouse::gateway
