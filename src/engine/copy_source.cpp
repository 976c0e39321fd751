#include "engine/copy_source.hpp"

#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <utility>

namespace boathouse::engine {

using duckdb::idx_t;
using pgwire::CopyField;
using pgwire::CopyRows;

namespace {

constexpr const char* kState = "boathouse_copy";
// Rows that are split into fields before their columns are decoded: what stays in the processor's cache.
constexpr std::size_t kRowsAtOnce = 256;
// Of a value or row that a message shows: PostgreSQL's MAX_COPY_DATA_DISPLAY.
constexpr std::size_t kShownBytesMax = 100;

struct CopyState final : duckdb::ClientContextState {
    CopySource* source = nullptr;
};

CopySource& source_of(duckdb::ClientContext& context) {
    const auto state = context.registered_state->Get<CopyState>(kState);
    if (!state || !state->source) throw duckdb::PermissionException("%s reads the rows of a COPY only", kCopyFunction);
    return *state->source;
}

struct CopyBindData final : duckdb::TableFunctionData {};

struct GlobalState final : duckdb::GlobalTableFunctionState {
    explicit GlobalState(CopySource& copy) : source(copy) {}
    idx_t MaxThreads() const override { return MAX_THREADS; }

    CopySource& source;
};

struct LocalState final : duckdb::LocalTableFunctionState {
    std::optional<CopyRows> rows;
    std::size_t number = 0;                      // of the block that is read
    std::vector<CopyField> row;                  // the one just read
    std::vector<std::vector<CopyField>> fields;  // a vector each column
    std::vector<pgwire::CopyRowMark> marks;      // a mark each row
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext& context, duckdb::TableFunctionBindInput&,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
    for (const CopyColumn& column : source_of(context).columns()) {
        types.push_back(column.type);
        names.push_back(column.name);
    }
    return duckdb::make_uniq<CopyBindData>();
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> init_global(duckdb::ClientContext& context,
                                                                 duckdb::TableFunctionInitInput&) {
    return duckdb::make_uniq<GlobalState>(source_of(context));
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> init_local(duckdb::ExecutionContext&,
                                                               duckdb::TableFunctionInitInput&,
                                                               duckdb::GlobalTableFunctionState* global) {
    auto local = duckdb::make_uniq<LocalState>();
    local->fields.resize(global->Cast<GlobalState>().source.columns().size());
    return local;
}

struct Failed {
    std::size_t row;  // of those split at once
    std::uint64_t line;
    QueryError error;
};

// The earlier of two failures; of one row's, the first that was found.
void keep_first(std::optional<Failed>& first, Failed failed) {
    if (!first || failed.row < first->row) first = std::move(failed);
}

std::optional<Failed> null_in(const CopySource& source, const LocalState& local, std::size_t column) {
    const auto& fields = local.fields[column];
    for (std::size_t row = 0; row < fields.size(); ++row) {
        if (!fields[row].is_null) continue;
        const CopyColumn& described = source.columns()[column];
        QueryError error{"23502", "null value in column \"" + described.name + "\" violates not-null constraint"};
        error.context = source.row_context(local.marks[row]);
        return Failed{row, local.marks[row].line, std::move(error)};
    }
    return std::nullopt;
}

// Splits up to kRowsAtOnce rows into local.fields. A failure of the reader is the row's after them.
std::optional<Failed> split(const CopySource& source, LocalState& local, std::size_t rows_max) {
    for (auto& column : local.fields) column.clear();
    local.marks.clear();
    while (local.marks.size() < rows_max) {
        const std::size_t at = local.marks.size();
        if (!local.rows->next(local.row)) {
            const auto& failure = local.rows->failure();
            if (!failure) return std::nullopt;
            QueryError error{failure->sqlstate, failure->message};
            error.hint = failure->hint;
            if (failure->shows_row) error.context = source.row_context(failure->row);
            if (failure->column) error.context = ", column " + source.columns()[*failure->column].name;
            return Failed{at, failure->row.line, std::move(error)};
        }
        for (std::size_t i = 0; i < local.row.size(); ++i) local.fields[i].push_back(local.row[i]);
        local.marks.push_back(local.rows->row());
        if (local.row.size() < local.fields.size()) {
            const pgwire::CopyFailure missing = local.rows->missing_data(local.row.size());
            QueryError error{missing.sqlstate, missing.message};
            error.context = source.row_context(missing.row);
            return Failed{at, missing.row.line, std::move(error)};
        }
    }
    return std::nullopt;
}

// Appends rows to `output`; the first failure among them, by row and then by column.
std::optional<Failed> read_some(duckdb::ClientContext& context, const CopySource& source, LocalState& local,
                                duckdb::DataChunk& output) {
    const idx_t first = output.size();
    const auto broken = split(source, local, std::min<std::size_t>(kRowsAtOnce, STANDARD_VECTOR_SIZE - first));
    std::optional<Failed> failed;
    for (std::size_t i = 0; i < local.fields.size(); ++i) {
        const auto& fields = local.fields[i];
        const std::size_t good = source.decoders()[i].decode(context, fields, output.data[i], first);
        if (good == fields.size()) continue;
        QueryError error = source.decoders()[i].failure(fields[good]);
        error.context = source.column_context(source.columns()[i], fields[good]);
        keep_first(failed, {good, local.marks[good].line, std::move(error)});
    }
    if (broken) keep_first(failed, *broken);
    for (std::size_t i = 0; i < local.fields.size(); ++i) {
        if (!source.columns()[i].not_null) continue;
        if (auto null = null_in(source, local, i)) keep_first(failed, std::move(*null));
    }
    output.SetCardinality(first + local.marks.size());
    return failed;
}

void read_rows(duckdb::ClientContext& context, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
    CopySource& source = input.global_state->Cast<GlobalState>().source;
    LocalState& local = input.local_state->Cast<LocalState>();
    while (true) {
        if (!local.rows) {
            auto taken = source.take();
            if (!taken) return;
            local.number = taken->number;
            local.rows.emplace(source.format(), source.names(), std::move(taken->block));
        }
        while (output.size() < STANDARD_VECTOR_SIZE) {
            const idx_t before = output.size();
            if (auto failed = read_some(context, source, local, output)) {
                local.rows.reset();
                output.SetCardinality(0);
                return source.fail(local.number, failed->line, std::move(failed->error));
            }
            if (output.size() == before) {
                source.complete(local.number, local.rows->lines());
                local.rows.reset();
                break;
            }
        }
        if (output.size() > 0) return;
    }
}

duckdb::OperatorPartitionData partition_of(duckdb::ClientContext&, duckdb::TableFunctionGetPartitionInput& input) {
    return duckdb::OperatorPartitionData(input.local_state->Cast<LocalState>().number);
}

// As PostgreSQL's limit_printout_length: cut between characters.
std::string shown(std::string_view text) {
    if (text.size() <= kShownBytesMax) return "\"" + std::string(text) + "\"";
    std::size_t end = kShownBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return "\"" + std::string(text.substr(0, end)) + "...\"";
}

}  // namespace

void register_copy_function(duckdb::DatabaseInstance& database) {
    duckdb::TableFunction function(kCopyFunction, {}, read_rows, bind, init_global, init_local);
    function.get_partition_data = partition_of;
    duckdb::ExtensionLoader loader(database, "boathouse");
    loader.RegisterFunction(std::move(function));
}

CopySource::CopySource(pgwire::CopyFormat format, std::string relation, std::vector<CopyColumn> columns)
    : format_(std::move(format)), relation_(std::move(relation)), columns_(std::move(columns)) {
    const bool binary = format_.kind == pgwire::CopyKind::binary;
    for (const CopyColumn& column : columns_) {
        names_.push_back(column.name);
        decoders_.emplace_back(column, binary);
    }
}

void CopySource::add(pgwire::CopyBlock block) {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(std::move(block));
    lines_.emplace_back();
}

void CopySource::clear() {
    const std::lock_guard lock(mutex_);
    for (const auto& lines : lines_) lines_before_ += lines.value_or(0);
    blocks_.clear();
    lines_.clear();
    next_ = 0;
}

void CopySource::restart(std::vector<pgwire::CopyBlock> blocks) {
    const std::lock_guard lock(mutex_);
    lines_.assign(blocks.size(), std::nullopt);
    blocks_ = std::move(blocks);
    next_ = 0;
    failed_block_.reset();
    error_.reset();
    names_line_ = false;
}

std::optional<CopySource::Taken> CopySource::take() {
    const std::lock_guard lock(mutex_);
    if (next_ == blocks_.size() || failed_block_) return std::nullopt;
    const std::size_t number = next_++;
    return Taken{number, std::move(blocks_[number])};
}

void CopySource::complete(std::size_t number, std::uint64_t lines) {
    const std::lock_guard lock(mutex_);
    lines_[number] = lines;
    settle_error();
}

void CopySource::fail(std::size_t number, std::uint64_t line, QueryError error) {
    const std::lock_guard lock(mutex_);
    if (failed_block_ && *failed_block_ < number) return;
    failed_block_ = number;
    failed_line_ = line;
    error_ = std::move(error);
    settle_error();
}

// REQUIRES: mutex_ is held. Every block before the failed one has been taken; whoever reads the last of them throws.
void CopySource::settle_error() {
    if (!failed_block_) return;
    std::uint64_t line = lines_before_ + failed_line_;
    for (std::size_t i = 0; i < *failed_block_; ++i) {
        if (!lines_[i]) return;
        line += *lines_[i];
    }
    // Threads that were still reading later blocks come here too.
    if (!names_line_) error_->context = "COPY " + relation_ + ", line " + std::to_string(line) + error_->context;
    names_line_ = true;
    throw duckdb::InvalidInputException(error_->message);
}

std::string CopySource::column_context(const CopyColumn& column, const CopyField& field) const {
    std::string context = ", column " + column.name;
    if (format_.is_lines()) context += ": " + (field.is_null ? std::string("null input") : shown(field.view()));
    return context;
}

std::string CopySource::row_context(const pgwire::CopyRowMark& row) const {
    return format_.is_lines() ? ": " + shown(row.text) : "";
}

ReadFromSource::ReadFromSource(duckdb::ClientContext& context, CopySource& source) : context_(context) {
    context.registered_state->GetOrCreate<CopyState>(kState)->source = &source;
}

ReadFromSource::~ReadFromSource() {
    context_.registered_state->GetOrCreate<CopyState>(kState)->source = nullptr;
}

}  // namespace boathouse::engine
