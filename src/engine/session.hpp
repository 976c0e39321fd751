// One client's conversation with DuckDB: a connection whose default database is the lake, statements parsed, prepared
// and run on it, rows encoded straight from DuckDB's vectors.
//
// A Session is owned by one client and used by one thread at a time, but for interrupt(), which any thread may call.
// Calls block while DuckDB works. A ResultStream, Prepared or Parsed statement must not outlive its Session. At most
// one stream reads from DuckDB at a time: running a statement first completes the open stream in memory (see
// ResultStream::settle). DuckDB's exceptions come out as QueryErrors. No header of this folder includes duckdb.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.hpp"
#include "engine/answer_file.hpp"
#include "engine/lake_moment.hpp"
#include "engine/new_rows.hpp"
#include "engine/query_error.hpp"
#include "engine/text_rows.hpp"
#include "pgwire/backend.hpp"
#include "pgwire/copy_format.hpp"
#include "pgwire/zone.hpp"
#include "syntax/rewrite.hpp"

namespace boathouse::engine {

class ClientSettings;
class Lake;
class TableNumbers;

// A parameter of Bind: how it is encoded and its bytes; nullopt is NULL.
struct ParameterValue {
    std::int16_t format = 0;
    std::optional<std::string_view> bytes{};
};

// For how long the answer to a statement is the same, asked by one role with one set of settings.
enum class Repeats {
    never,        // it is not known to be: it writes, reads the clock, makes random values …
    in_snapshot,  // of the lake
    always,
};

// One statement that DuckDB's parser took and that a client may run; not bound to the lake's tables yet.
class Parsed {
  public:
    Parsed(Parsed&&) noexcept;
    Parsed& operator=(Parsed&&) noexcept;
    ~Parsed();

    // PostgreSQL's word for it in CommandComplete, without counts: "SELECT", "INSERT", "CREATE TABLE".
    const std::string& tag() const;
    // What the client is to be told beside the answer.
    const std::vector<syntax::Notice>& notices() const;

  private:
    friend class Session;
    struct Impl;
    explicit Parsed(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Columns that an option of COPY names.
struct ForcedColumns {
    bool all = false;
    std::vector<std::string> names;
};

// The options of a COPY, its columns still by name.
struct CopyOptions {
    pgwire::CopyFormat format;
    ForcedColumns force_quote;
    ForcedColumns force_not_null;
    ForcedColumns force_null;
};

// The answer to one statement, read once, front to back: DuckDB's, or what another brain behind the door gives.
class ResultStream {
  public:
    virtual ~ResultStream();

    // No columns: the statement returns no rows.
    virtual const std::vector<pgwire::ColumnDescription>& columns() const;

    // Formats of the columns by Bind's rule (none, one, one each), from the next row on.
    virtual void set_formats(const std::vector<std::int16_t>& formats);

    struct Limits {
        std::uint64_t rows_max = UINT64_MAX;
        std::size_t bytes_max = SIZE_MAX;  // of the buffer; passed by at most one row
    };
    // Rows go as CopyData in this format instead; to be set before the first encode(). Fails with 42P10 for options
    // that name other columns.
    virtual Outcome<void> set_copy(const CopyOptions& options);

    struct Progress {
        std::uint64_t rows = 0;
        bool finished = false;
    };
    // Appends DataRow messages until a limit is reached or the rows end.
    virtual Outcome<Progress> encode(pgwire::Buffer& out, Limits limits);

    // After the last row: "SELECT 3", "INSERT 0 1", "COPY 3".
    virtual std::string command_tag() const;

    // Known only of a statement that ran by itself, outside a transaction block.
    virtual Repeats repeats() const;

    // Takes what is left into memory, so that the session's connection is free for another statement.
    virtual Outcome<void> settle();

    struct Impl;  // session_impl.hpp, for this folder only
    explicit ResultStream(std::unique_ptr<Impl> impl);

  protected:
    // For a stream of another kind, which overrides everything.
    ResultStream();

  private:
    friend class Session;
    std::unique_ptr<Impl> impl_;
};

// A statement planned once, to be run with parameters. DuckDB plans again by itself when the lake has changed.
class Prepared {
  public:
    ~Prepared();

    const std::vector<std::uint32_t>& parameter_types() const;  // of PostgreSQL, in the order of $1, $2 …
    const std::vector<pgwire::ColumnDescription>& columns() const;
    const std::string& tag() const;
    const std::vector<syntax::Notice>& notices() const;
    // As far as the plan alone tells.
    Repeats repeats() const;
    // Session::evaluate_at_once() may have rows for it.
    bool has_plain_values() const;

  private:
    friend class Session;
    struct Impl;
    explicit Prepared(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Whether what the client was told about a statement's columns holds for its rows: 0A000 if not, as PostgreSQL says it;
// asyncpg and pgjdbc prepare again where they find its routine.
Outcome<void> check_shape(const std::vector<pgwire::ColumnDescription>& told,
                          const std::vector<pgwire::ColumnDescription>& got);

// Where COPY FROM puts its rows: an identifier as it stands in SQL, with its columns if they are named.
struct CopyTarget {
    std::string table;
    std::string columns;    // "(a, b)" or empty
    std::string relation;   // the table's name alone, for messages
    std::string condition;  // of WHERE, or empty
};

// A COPY FROM under way: the client's bytes gather in blocks of whole rows, and an INSERT reads them on all of DuckDB's
// threads whenever there are enough and at the end; several INSERTs are one transaction. Dropped before finish(),
// nothing has happened. Errors name line and column, as PostgreSQL's do; after one, drop it.
class CopyIn {
  public:
    ~CopyIn();

    std::size_t columns() const;
    const pgwire::CopyFormat& format() const;
    // The next bytes, cut anywhere.
    Outcome<void> feed(std::string_view bytes);
    // After the last byte, of a small COPY outside of a transaction block: its rows, to be written together with those
    // of other statements. nullopt: they are many, or of another kind, or cannot be made; finish() writes them, or says
    // why.
    std::optional<NewRows> few_rows();
    // The number of rows.
    Outcome<std::uint64_t> finish();

    struct Impl;  // copy_in.cpp, for this folder only
    explicit CopyIn(std::unique_ptr<Impl> impl);

  private:
    std::unique_ptr<Impl> impl_;
};

// A table as a client names it; "public" is the lake's main schema, unless the lake has one of that name.
struct TableName {
    std::string schema;
    std::string table;
};

// Why one row cannot be taken.
struct RowFault {
    std::uint64_t place = 0;  // in the body: TextRows::places, or its number in a file, from 1
    std::string column;       // empty: the row as a whole
    QueryError error;
};

// Rows ready to be written, and those that are not among them.
struct TakenRows {
    std::optional<NewRows> rows;  // nullopt: none are good
    std::vector<RowFault> faults{};
    std::uint64_t faulty = 0;  // rows that have a fault; only the first kFaultsMax are named
};
inline constexpr std::size_t kFaultsMax = 100;

// A column as a file's reader makes it out.
struct FoundColumn {
    std::string name;
    std::string type;  // as SQL writes it
};
enum class UploadFormat { ndjson, json, csv, parquet, arrow };

class Session {
  public:
    // Once, before the first open(): puts the guard (guard.hpp) into DuckDB and takes from all of it, for as long as it
    // runs, files and network but for the lake's data path.
    static Status admit_clients(Lake& lake);

    // What it uses of others, and which outlives it. Without `settings`, SQL sees DuckDB's own; without `numbers`,
    // results do not tell which tables their columns come from; without `gate`, whoever is in may do everything.
    struct Uses {
        ClientSettings* settings = nullptr;
        TableNumbers* numbers = nullptr;
        access::Gate* gate = nullptr;
        AskNewest newest;  // for queries on small tables that are kept; none reads them without
    };
    static Outcome<std::unique_ptr<Session>> open(Lake& lake, const Uses& uses);
    ~Session();

    // The text of one statement. Refuses what no client of the SQL door may run (42501): files, other databases,
    // extensions, secrets.
    Outcome<Parsed> parse(std::string_view text);

    Outcome<std::unique_ptr<ResultStream>> run(Parsed statement);

    // Whether a plan of it stays good for as long as the session's settings do (self_contained.hpp).
    bool is_self_contained(const Parsed& statement);

    // `parameter_types` as the client says them, 0 where it does not.
    Outcome<std::unique_ptr<Prepared>> prepare(Parsed statement, const std::vector<std::uint32_t>& parameter_types);
    Outcome<std::unique_ptr<ResultStream>> run(Prepared& statement, const std::vector<ParameterValue>& parameters);

    // The rows of an INSERT of values that stands outside of a transaction block, to be written together with those of
    // other statements. nullopt: the statement is of another kind, or its rows cannot be made; run() says why.
    // Whether the client may insert them is asked here, or later by whoever writes them (NewRows::needs()).
    enum class Judged { now, later };
    std::optional<NewRows> evaluate(const Parsed& statement, Judged judged);
    std::optional<NewRows> evaluate(Prepared& statement, const std::vector<ParameterValue>& parameters, Judged judged);
    // The same of a statement whose values are all parameters and constants, for a table that has not changed since it
    // was prepared. Nobody is asked and nothing blocks; to be judged later.
    std::optional<NewRows> evaluate_at_once(Prepared& statement, const std::vector<ParameterValue>& parameters);
    // In the transaction that is open. 40001: a table has changed since its rows were made.
    Outcome<void> write(const std::vector<NewRows>& rows);

    // COPY TO in Parquet: the query's rows go into a file, the stream is its bytes. The first encode() comes after all
    // of the query has run.
    Outcome<std::unique_ptr<ResultStream>> run_to_parquet(Parsed query);
    Outcome<std::unique_ptr<CopyIn>> copy_in(const CopyTarget& target, const CopyOptions& options);

    // Runs the statement to its end; what it returns goes into a file.
    Outcome<AnswerFile> run_to_file(Parsed statement, FileFormat format);

    // Makes rows of a table, to be written by a LakeWriter or write(). Each row is cast by itself: one that cannot be,
    // or that has NULL where none may be, is a fault and left out. Errors: 42P01 no such table, 42703 a column that it
    // does not have, 42501.
    Outcome<TakenRows> take_rows(const TableName& name, const TextRows& rows);
    // The same of bytes that are read as DuckDB's types at once: parquet, or arrow, of which what it unpacks to may
    // have `bytes_max` bytes. 22P04: the bytes cannot be read, 54000: they are too many.
    Outcome<TakenRows> take_file(const TableName& name, UploadFormat format, std::string_view bytes,
                                 std::uint64_t bytes_max);
    // The columns that the bytes have, with the types that DuckDB finds for them.
    Outcome<std::vector<FoundColumn>> find_columns(UploadFormat format, std::string_view bytes);
    // The table's columns; nullopt: there is no such table.
    Outcome<std::optional<std::vector<std::string>>> column_names(const TableName& name);

    Outcome<void> begin();
    Outcome<void> commit();
    Outcome<void> rollback();

    // PostgreSQL's meaning where DuckDB has both (integer division, order of NULLs, names of columns), or DuckDB's.
    Outcome<void> set_dialect(bool duckdb);
    // A setting of DuckDB's own, for this session. The caller says which may be set.
    Outcome<void> set_option(const std::string& name, const std::string& value);
    // Schemas of the lake, in which unqualified names are looked for; those that do not exist are left out.
    Outcome<void> set_search_path(const std::vector<std::string>& schemas);
    Outcome<void> drop_temporary_tables();
    // The zone of timestamps with time zone, in computation and in output.
    Outcome<void> set_time_zone(const std::string& name);

    // What would write to the lake fails with 25006 from now on.
    void set_read_only(bool read_only);
    // Statements that may have written something, since the session began.
    std::uint64_t writes() const;
    // Whether DuckDB's transaction goes on after an error. It does after those that parsing, binding and privileges
    // raise, before anything ran; any other (a value out of range, an interruption) makes it invalid.
    bool transaction_usable() const;
    // Whether it has, or has had, relations that are its own: names in a text then mean what they mean to nobody else.
    bool has_temporary_relations() const;
    // The privileges that the statement needed which was run last, as long as no other is parsed, prepared or run.
    const access::Needs& needs() const;
    // What statements have made since the last call, to be called when they are committed; a rollback forgets it.
    std::vector<access::Made> take_made();
    // The snapshot that this session has committed last: its number. Fails without one.
    Outcome<std::string> committed_snapshot();
    // The snapshot that the transaction reads: its number.
    Outcome<std::string> snapshot();

    // Makes what runs now, and what is run before clear_interrupt(), fail with 57014. Any thread.
    void interrupt();
    void clear_interrupt();

    struct Impl;  // session_impl.hpp, for this folder only

  private:
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::engine
