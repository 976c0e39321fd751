#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/qualified_name.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/storage/buffer_manager.hpp>
#include <set>

#include "engine/copy_file.hpp"
#include "engine/copy_options.hpp"
#include "engine/copy_source.hpp"
#include "engine/guard.hpp"
#include "engine/insert_values.hpp"
#include "engine/session_impl.hpp"
#include "pgwire/copy_cutter.hpp"

namespace boathouse::engine {

namespace {

// Bytes that gather before an INSERT reads them: large enough for Parquet files of a good size, small beside the memory
// that DuckDB may use.
constexpr std::size_t kBatchBytesMax = 128u << 20;
constexpr std::size_t kBatchMemoryShare = 8;
// Of a COPY whose rows may share a commit: it is read twice if they turn out not to.
constexpr std::size_t kFewBytesMax = 1u << 20;
constexpr std::uint64_t kFewRowsMax = 10'000;

std::set<std::string> not_null_columns(duckdb::ClientContext& context, const std::string& table) {
    std::set<std::string> names;
    context.RunFunctionInTransaction([&] {
        auto name = duckdb::QualifiedName::Parse(table);
        duckdb::Binder::BindSchemaOrCatalog(context, name.catalog, name.schema);
        const auto entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(
            context, name.catalog, name.schema, name.name, duckdb::OnEntryNotFound::RETURN_NULL);
        if (!entry) return;
        for (const auto& constraint : entry->GetConstraints()) {
            if (constraint->type != duckdb::ConstraintType::NOT_NULL) continue;
            names.insert(entry->GetColumn(constraint->Cast<duckdb::NotNullConstraint>().index).Name());
        }
    });
    return names;
}

QueryError encoding_error(const Error& error) {
    return {"22021", error.message};
}

QueryError stream_error(const Error& error) {
    return {error.kind == ErrorKind::limit ? "54000" : "22P04", error.message};
}

}  // namespace

struct CopyIn::Impl {
    Impl(Session::Impl& owner, CopyTarget into) : session(owner), target(std::move(into)) {}
    ~Impl();

    Outcome<void> open(const CopyOptions& options);
    // Whether the client may insert, before it is asked for rows.
    Outcome<void> check_privileges(std::size_t columns);
    Outcome<void> add(std::optional<pgwire::CopyBlock> block);
    // Nothing more comes.
    Outcome<void> end();
    Outcome<void> take_rest();
    std::optional<NewRows> few_rows();
    // Runs the INSERT over what has gathered.
    Outcome<void> insert();
    Outcome<void> insert_file();
    void release();

    Session::Impl& session;
    const CopyTarget target;
    std::optional<CopySource> source;
    std::optional<pgwire::Recoder> recoder;  // of another encoding than UTF-8
    std::optional<pgwire::CopyCutter> cutter;
    std::unique_ptr<CopyFile> file;  // of a COPY in Parquet, instead of blocks
    std::string statement;
    std::size_t batch_bytes_max = kBatchBytesMax;
    std::size_t batch_bytes = 0;  // reserved in DuckDB's buffer manager
    std::uint64_t rows = 0;
    bool own_transaction = false;  // begun here, because there is more than one INSERT
    std::optional<Outcome<void>> ended;
};

CopyIn::Impl::~Impl() {
    release();
    if (own_transaction) static_cast<void>(session.run_text("ROLLBACK"));
}

void CopyIn::Impl::release() {
    duckdb::BufferManager::GetBufferManager(*session.connection.context).FreeReservedMemory(batch_bytes);
    batch_bytes = 0;
    if (source) source->clear();
}

Outcome<void> CopyIn::Impl::open(const CopyOptions& options) {
    const std::string columns = target.columns.empty() ? "*" : target.columns.substr(1, target.columns.size() - 2);
    const auto described = [&] {
        // COPY FROM needs no SELECT.
        const OwnStatement own(*session.connection.context, OwnCheck::nothing);
        return session.connection.Prepare("SELECT " + columns + " FROM " + target.table);
    }();
    if (described->HasError()) return to_query_error(described->GetErrorObject(), session.scrubber);
    std::vector<CopyColumn> table;
    for (std::size_t i = 0; i < described->GetTypes().size(); ++i)
        table.push_back({described->GetNames()[i], described->GetTypes()[i]});

    if (auto allowed = check_privileges(table.size()); !allowed) return allowed;

    std::string names;
    for (const CopyColumn& column : table)
        names += (names.empty() ? "" : ", ") + duckdb::KeywordHelper::WriteQuoted(column.name, '"');
    statement = "INSERT INTO " + target.table + target.columns + " SELECT * FROM " + kCopyFunction + "() AS " +
                duckdb::KeywordHelper::WriteQuoted(target.relation, '"') + "(" + names + ")";
    if (!target.condition.empty()) {
        statement += " WHERE " + target.condition;
    } else {
        // With a condition the row may not go in at all, and DuckDB checks those that do.
        const std::set<std::string> not_null = not_null_columns(*session.connection.context, target.table);
        for (CopyColumn& column : table) column.not_null = not_null.contains(column.name);
    }

    auto format = resolve_copy_options(options, columns_of(table));
    if (!format) return format.error();
    if (format->kind == pgwire::CopyKind::parquet) {
        file = std::make_unique<CopyFile>(*session.connection.context->db);
        statement =
            "INSERT INTO " + target.table + target.columns + " SELECT * FROM read_parquet('" + file->path() + "')";
    }
    source.emplace(*format, target.relation, std::move(table));
    cutter.emplace(*format);
    if (!format->encoding.empty()) recoder.emplace(format->encoding, "");
    const auto limit =
        duckdb::BufferManager::GetBufferManager(*session.connection.context).GetMaxMemory() / kBatchMemoryShare;
    batch_bytes_max = std::clamp<std::size_t>(limit, pgwire::kCopyBlockBytes, kBatchBytesMax);
    return {};
}

Outcome<void> CopyIn::Impl::check_privileges(std::size_t columns) {
    if (session.watch.gate == nullptr) return {};
    std::string nulls;
    for (std::size_t i = 0; i < columns; ++i) nulls += i == 0 ? "NULL" : ", NULL";
    auto statements =
        session.connection.ExtractStatements("INSERT INTO " + target.table + target.columns + " SELECT " + nulls);
    const auto watching = session.begin_watch();
    session.announce(*statements.front(), "COPY");
    const auto prepared = session.connection.Prepare(std::move(statements.front()));
    session.watch.wrote = false;
    session.end_watch();
    if (prepared->HasError()) return to_query_error(prepared->GetErrorObject(), session.scrubber);
    return {};
}

Outcome<void> CopyIn::Impl::add(std::optional<pgwire::CopyBlock> block) {
    if (!block) return {};
    const std::size_t bytes = block->bytes.size();
    duckdb::BufferManager::GetBufferManager(*session.connection.context).ReserveMemory(bytes);
    batch_bytes += bytes;
    source->add(std::move(*block));
    return {};
}

Outcome<void> CopyIn::Impl::end() {
    if (!ended) ended = take_rest();
    return *ended;
}

Outcome<void> CopyIn::Impl::take_rest() {
    if (recoder) {
        if (auto whole = recoder->finish(); !whole) return encoding_error(whole.error());
    }
    auto block = cutter->finish();
    if (!block) return stream_error(block.error());
    return add(std::move(*block));
}

std::optional<NewRows> CopyIn::Impl::few_rows() {
    if (file || !target.condition.empty() || !session.connection.IsAutoCommit() || session.watch.read_only)
        return std::nullopt;
    if (!end() || source->empty() || batch_bytes > kFewBytesMax) return std::nullopt;
    const auto statements = session.connection.ExtractStatements(statement);
    if (statements.size() != 1) return std::nullopt;
    auto evaluation =
        evaluation_of_copy(*session.connection.context, *statements.front(), kCopyFunction, session.lake.shapes());
    if (!evaluation || session.interrupted || !session.may_insert(*evaluation->shape)) return std::nullopt;
    std::vector<pgwire::CopyBlock> blocks = source->blocks();
    const ReadFromSource reads(*session.connection.context, *source);
    auto made = session.rows_of(std::move(*evaluation));
    source->restart(std::move(blocks));
    if (made && made->count() > kFewRowsMax) made.reset();
    return made;
}

Outcome<void> CopyIn::Impl::insert() {
    if (source->empty()) return {};
    const ReadFromSource reads(*session.connection.context, *source);
    auto statements = session.connection.ExtractStatements(statement);
    if (statements.size() != 1) return QueryError{"42601", "syntax error in the condition of COPY"};
    const auto watching = session.begin_watch();
    session.announce(*statements.front(), "COPY");
    const auto result = session.connection.Query(std::move(statements.front()));
    session.end_watch();
    if (source->error()) return *source->error();
    if (result->HasError()) return to_query_error(result->GetErrorObject(), session.scrubber);
    rows += result->GetValue(0, 0).GetValue<std::uint64_t>();
    release();
    return {};
}

Outcome<void> CopyIn::Impl::insert_file() {
    file->close();
    const OwnStatement own(*session.connection.context, OwnCheck::privileges);
    const auto watching = session.begin_watch();
    auto statements = session.connection.ExtractStatements(statement);
    session.announce(*statements.front(), "COPY");
    const auto result = session.connection.Query(std::move(statements.front()));
    session.end_watch();
    if (result->HasError()) {
        QueryError error = to_query_error(result->GetErrorObject(), session.scrubber);
        error.context = "COPY " + target.relation;
        // A file's name is ours, and says nothing to the client.
        if (result->GetErrorObject().RawMessage().find(file->path()) != std::string::npos) {
            error = QueryError{"22P04", "the data is no Parquet file that can be read"};
        }
        return error;
    }
    rows = result->GetValue(0, 0).GetValue<std::uint64_t>();
    return {};
}

CopyIn::CopyIn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CopyIn::~CopyIn() = default;
std::size_t CopyIn::columns() const {
    return impl_->source->columns().size();
}
const pgwire::CopyFormat& CopyIn::format() const {
    return impl_->source->format();
}

Outcome<void> CopyIn::feed(std::string_view bytes) {
    Impl& copy = *impl_;
    try {
        if (copy.file) {
            copy.file->append(bytes);
            return {};
        }
        std::string recoded;
        if (copy.recoder) {
            auto converted = copy.recoder->convert(bytes);
            if (!converted) return encoding_error(converted.error());
            recoded = std::move(*converted);
            bytes = recoded;
        }
        copy.cutter->feed(bytes);
        while (true) {
            auto block = copy.cutter->take();
            if (!block) return stream_error(block.error());
            if (!*block) return {};
            if (auto added = copy.add(std::move(*block)); !added) return added;
            if (copy.batch_bytes < copy.batch_bytes_max) continue;
            if (!copy.own_transaction && copy.session.connection.IsAutoCommit()) {
                if (auto begun = copy.session.run_text("BEGIN TRANSACTION"); !begun) return begun;
                copy.own_transaction = true;
            }
            if (auto inserted = copy.insert(); !inserted) return inserted;
        }
    } catch (const std::exception& exception) {
        return copy.session.describe(exception);
    }
}

std::optional<NewRows> CopyIn::few_rows() {
    try {
        return impl_->few_rows();
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

Outcome<std::uint64_t> CopyIn::finish() {
    Impl& copy = *impl_;
    try {
        if (copy.file) {
            if (auto inserted = copy.insert_file(); !inserted) return inserted.error();
            return copy.rows;
        }
        if (auto ended = copy.end(); !ended) return ended.error();
        if (auto inserted = copy.insert(); !inserted) return inserted.error();
        if (copy.own_transaction) {
            if (auto committed = copy.session.run_text("COMMIT"); !committed) return committed.error();
            copy.own_transaction = false;
        }
        return copy.rows;
    } catch (const std::exception& exception) {
        return copy.session.describe(exception);
    }
}

Outcome<std::unique_ptr<CopyIn>> Session::copy_in(const CopyTarget& target, const CopyOptions& options) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto impl = std::make_unique<CopyIn::Impl>(*impl_, target);
        if (auto opened = impl->open(options); !opened) return opened.error();
        return std::make_unique<CopyIn>(std::move(impl));
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
