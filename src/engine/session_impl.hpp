// What the parts of a Session share.
//
// Private to src/engine/: session.cpp, result_stream.cpp and prepared.cpp include it. One thread at a time.
#pragma once

#include <atomic>
#include <duckdb.hpp>
#include <functional>

#include "engine/copy_file.hpp"
#include "engine/database.hpp"
#include "engine/duckdb_error.hpp"
#include "engine/guard.hpp"
#include "engine/kept_tables.hpp"
#include "engine/lake.hpp"
#include "engine/plain_values.hpp"
#include "engine/repeatable.hpp"
#include "engine/row_encoder.hpp"
#include "engine/session.hpp"
#include "engine/table_shapes.hpp"
#include "pgwire/encoding.hpp"

namespace boathouse::engine {

struct Evaluation;

struct Parsed::Impl {
    // More than one where DuckDB's parser makes several of one (PIVOT): the last gives the answer. Or where
    // PostgreSQL's statement names several objects: then they are run as one.
    std::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements;
    std::string tag;
    std::vector<syntax::Notice> notices;
    std::vector<std::string> named_relations;  // of a query
    std::optional<Mentions> mentions;          // of a query whose answer may be the same again
    syntax::PositionMap positions;             // from what DuckDB reads to the client's text
    bool is_several = false;
    bool is_alone = false;  // not in a transaction block
};

struct Session::Impl {
    explicit Impl(Lake& of) : lake(of), connection(of.database().instance()), scrubber(of.database().scrubber()) {}

    Lake& lake;

    Watch watch;  // outlives the connection, whose guard uses it
    TableNumbers* numbers = nullptr;
    AskNewest newest;
    std::uint64_t writes = 0;
    duckdb::unique_ptr<duckdb::SQLStatement> unbound;  // that watch.text points to
    std::vector<access::Made> made;                    // and not taken yet
    std::atomic<bool> interrupted = false;
    duckdb::Connection connection;
    const Scrubber& scrubber;
    pgwire::Zone zone;
    bool postgres_dialect = true;
    ResultStream::Impl* reading = nullptr;  // the stream that still reads from the connection

    Outcome<void> run_text(const std::string& sql);
    // Runs COPY (query) TO the file, as the client.
    duckdb::unique_ptr<duckdb::QueryResult> copy_to_file(duckdb::unique_ptr<duckdb::QueryNode> query, FileFormat format,
                                                         const CopyFile& file);
    duckdb::unique_ptr<duckdb::ColumnDataCollection> take_all(duckdb::QueryResult& result);
    Outcome<AnswerFile> write_arrow_file(duckdb::QueryResult& result);
    // take_rows.cpp
    Outcome<std::shared_ptr<const TableShape>> shape_for(const TableName& name);
    bool has_own_public();
    Outcome<void> check_insert(const TableShape& shape, const std::vector<std::size_t>& columns);
    // Frees the connection for another statement.
    Outcome<void> settle();
    // While it lives, the guard is told what a statement names: the two must outlive it.
    class Watching {
      public:
        Watching(Watch& told, const std::vector<std::string>* named_relations, const std::optional<Mentions>& mentions)
            : watch_(told) {
            watch_.named_relations = named_relations;
            watch_.mentions = mentions ? &*mentions : nullptr;
        }
        ~Watching() {
            watch_.named_relations = nullptr;
            watch_.mentions = nullptr;
        }
        Watching(const Watching&) = delete;
        Watching& operator=(const Watching&) = delete;

      private:
        Watch& watch_;
    };
    // Before a statement is bound, and after: what the guard saw of it.
    [[nodiscard]] Watching begin_watch(const std::vector<std::string>& named_relations,
                                       const std::optional<Mentions>& mentions) {
        watch.wrote = false;
        watch.origins = {};
        watch.repeats = Repeats::never;
        return {watch, numbers && !named_relations.empty() ? &named_relations : nullptr, mentions};
    }
    [[nodiscard]] Watching begin_watch() { return begin_watch({}, std::nullopt); }
    void end_watch() {
        forget_announced();
        writes += watch.wrote ? 1 : 0;
    }
    // Before a client's statement is bound or run: what the gate is to know of it, and be asked meanwhile.
    void announce(const duckdb::SQLStatement& statement, const std::string& tag);
    void forget_announced() {
        if (watch.gate != nullptr) watch.gate->forget();
        watch.text = {};
    }
    // Whether the client may insert rows into all columns of the table as it is now.
    bool may_insert(const TableShape& shape);
    // The rows, unless it is now that they are judged and the client may not insert them.
    std::optional<NewRows> judge(std::optional<NewRows> rows, Judged judged);
    // A statement is done that has made something.
    void keep_made(const std::vector<access::Made>& more);
    void forget_transaction();
    // Binds the query to kept tables (kept_tables.hpp). Null: it has to be bound to the lake, from the beginning.
    template <typename Bound>
    duckdb::unique_ptr<Bound> over_kept_tables(const std::optional<Mentions>& mentions,
                                               const std::function<duckdb::unique_ptr<Bound>()>& bind) {
        KeptTables* const kept = lake.kept_tables();
        if (kept == nullptr || !mentions || !connection.IsAutoCommit() || watch.made_temporary) return nullptr;
        const auto tables = kept->read(*connection.context, *mentions, newest);
        if (!tables) return nullptr;
        auto bound = bind();
        if (bound->HasError() || !tables->holds()) return nullptr;
        kept->count_read();
        return bound;
    }
    // Tells of the columns of the plan that was just bound where they come from.
    void number_columns(std::vector<pgwire::ColumnDescription>& columns) {
        const ColumnOrigins& origins = watch.origins;
        if (!origins.columns.empty() && origins.columns.size() == columns.size()) numbers->fill(origins, columns);
    }
    QueryError describe(const std::exception& exception) const {
        return to_query_error(duckdb::ErrorData(exception), scrubber);
    }
    // With the error's position in the client's text.
    QueryError describe(const std::exception& exception, const syntax::PositionMap& positions) const;
    QueryError describe(const duckdb::ErrorData& error, const syntax::PositionMap& positions) const;
    // Gives the statement PostgreSQL's meaning (postgres_meaning.hpp) and names (public_schema.hpp).
    void speak_postgres(duckdb::SQLStatement& statement, const std::vector<std::string>& column_names);
    // 25001 for a statement that is to stand alone, while a transaction is open.
    Outcome<void> check_alone(bool is_alone, const std::string& tag);
    // All or none of them, whether or not a transaction is open; they give no rows.
    Outcome<std::unique_ptr<ResultStream>> run_several(std::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements,
                                                       const std::string& tag, const syntax::PositionMap& positions);
    // Plans `statement`, which is the prepared one or stands for it, and settles its parameters.
    Outcome<void> plan(Prepared::Impl& prepared, duckdb::unique_ptr<duckdb::SQLStatement> statement);
    // The rows that the statement makes; nullopt: it cannot be run, or makes others than the table's.
    std::optional<NewRows> rows_of(Evaluation evaluation);
    // Plans the evaluation of an INSERT of values; false: the statement is none, or cannot be planned.
    bool plan_evaluation(Prepared::Impl& prepared, const duckdb::SQLStatement& statement);
    duckdb::case_insensitive_map_t<duckdb::BoundParameterData> arguments(const Prepared::Impl& prepared,
                                                                         const duckdb::PreparedStatement& statement,
                                                                         const std::vector<ParameterValue>& parameters);
    Outcome<void> settle_types(Prepared::Impl& prepared, const duckdb::SQLStatement& uncast,
                               const std::vector<std::uint32_t>& oids);
    // Before DuckDB plans what streams: how far it may read ahead of the client.
    StreamBudget::Share read_ahead();
    // `planned`: the columns as they were told when the statement was prepared.
    Outcome<std::unique_ptr<ResultStream>> stream_of(duckdb::unique_ptr<duckdb::PendingQueryResult> pending,
                                                     StreamBudget::Share ahead, std::string tag,
                                                     const syntax::PositionMap& positions = {},
                                                     const std::vector<pgwire::ColumnDescription>* planned = nullptr);
};

struct ResultStream::Impl {
    Impl(Session::Impl& owner, duckdb::unique_ptr<duckdb::QueryResult> answer, std::string word);
    ~Impl();

    bool gives_rows() const { return result->properties.return_type == duckdb::StatementReturnType::QUERY_RESULT; }
    // Throws what DuckDB throws. False at the end.
    bool load_next();
    void end();
    // Turns the text of the CopyData that begins there into the wanted encoding.
    void recode(pgwire::Buffer& out, std::size_t message_at);

    // Appends CopyData with the file's bytes; false at its end.
    bool put_file(pgwire::Buffer& out, std::size_t bytes_max);

    Session::Impl& session;
    StreamBudget::Share ahead;  // as long as DuckDB may hold rows
    duckdb::unique_ptr<duckdb::QueryResult> result;
    std::string tag;
    std::vector<pgwire::ColumnDescription> columns;
    std::vector<std::int16_t> formats;
    std::optional<pgwire::CopyFormat> copy;
    bool plain_fixed = false;                // of a COPY: what fixed encoders write goes as it is
    std::optional<pgwire::Recoder> recoder;  // of a COPY in another encoding
    std::optional<RowEncoder> encoder;
    std::unique_ptr<CopyFile> file;                            // of a COPY in Parquet: its bytes go instead of rows
    duckdb::unique_ptr<duckdb::ColumnDataCollection> settled;  // what settle() took into memory
    duckdb::ColumnDataScanState scan;
    std::uint64_t rows = 0;
    bool finished = false;
    Repeats repeats = Repeats::never;
};

struct Prepared::Impl {
    explicit Impl(Session::Impl& owner) : session(owner) {}

    Outcome<void> settle_parameters();

    Session::Impl& session;
    // Null: several stand in its place, without a plan; or it is an INSERT of values that only was evaluated so far.
    duckdb::unique_ptr<duckdb::PreparedStatement> statement;
    duckdb::unique_ptr<duckdb::PreparedStatement> evaluation;  // of an INSERT of values (insert_values.hpp), or null
    std::optional<PlainValues> plain;                          // of the evaluation, if it has nothing else
    std::shared_ptr<const TableShape> shape;                   // that the evaluation is for
    duckdb::unique_ptr<duckdb::SQLStatement> insert;           // as it was parsed, if there is an evaluation
    std::vector<std::uint32_t> named_types;                    // of parameters, as the client said them
    std::vector<duckdb::unique_ptr<duckdb::SQLStatement>> several;
    std::string tag;
    bool writes = false;                               // by the plan
    duckdb::unique_ptr<duckdb::SQLStatement> unbound;  // for the gate; null without one
    access::Needs needs;                               // of the plan
    std::vector<access::Made> made;                    // by it
    bool is_alone = false;
    std::optional<Mentions> mentions;
    Repeats repeats = Repeats::never;  // by the plan
    std::vector<syntax::Notice> notices;
    syntax::PositionMap positions;
    std::vector<std::uint32_t> parameter_types;
    std::vector<duckdb::LogicalType> expected;  // by DuckDB, in the order of $1, $2 …
    std::vector<pgwire::ColumnDescription> columns;
};

}  // namespace boathouse::engine
