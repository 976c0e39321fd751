#include "engine/copy_options.hpp"
#include "engine/session_impl.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

ResultStream::ResultStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ResultStream::ResultStream() = default;
ResultStream::~ResultStream() = default;

ResultStream::Impl::Impl(Session::Impl& owner, duckdb::unique_ptr<duckdb::QueryResult> answer, std::string word)
    : session(owner), result(std::move(answer)), tag(std::move(word)) {
    if (gives_rows()) {
        for (std::size_t i = 0; i < result->types.size(); ++i) {
            columns.push_back(describe_column(result->names[i], result->types[i]));
        }
    }
    if (result->type == duckdb::QueryResultType::STREAM_RESULT) session.reading = this;
}

ResultStream::Impl::~Impl() {
    if (session.reading != this) return;
    // Given up halfway: DuckDB ends the statement, and its threads, when the connection runs the next one.
    session.reading = nullptr;
    result.reset();
    session.connection.Query("SELECT NULL");
}

void ResultStream::Impl::end() {
    finished = true;
    ahead = {};
    if (session.reading == this) session.reading = nullptr;
}

bool ResultStream::Impl::load_next() {
    duckdb::unique_ptr<duckdb::DataChunk> chunk;
    if (settled) {
        chunk = duckdb::make_uniq<duckdb::DataChunk>();
        settled->InitializeScanChunk(*chunk);
        if (!settled->Scan(scan, *chunk)) chunk = nullptr;
    } else {
        chunk = result->FetchRaw();
        if (result->HasError()) result->ThrowError();
    }
    if (!chunk || chunk->size() == 0) {
        end();
        return false;
    }
    encoder->load(std::move(chunk));
    return true;
}

void ResultStream::Impl::recode(pgwire::Buffer& out, std::size_t message_at) {
    constexpr std::size_t kHeaderBytes = 5;
    const auto recoded = recoder->convert(out.view().substr(message_at + kHeaderBytes));
    if (!recoded) {
        throw duckdb::InvalidInputException("character with no equivalent in encoding \"%s\"", copy->encoding);
    }
    out.truncate(message_at);
    const pgwire::Message message(out, 'd');
    out.put(*recoded);
}

bool ResultStream::Impl::put_file(pgwire::Buffer& out, std::size_t bytes_max) {
    constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
    while (out.size() < bytes_max) {
        const std::size_t message_at = out.size();
        std::size_t count = 0;
        {
            const pgwire::Message message(out, 'd');
            count = file->read(out.room(kPieceBytes), kPieceBytes);
            out.advance(count);
        }
        if (count > 0) continue;
        out.truncate(message_at);
        end();
        return false;
    }
    return true;
}

const std::vector<pgwire::ColumnDescription>& ResultStream::columns() const {
    return impl_->columns;
}

void ResultStream::set_formats(const std::vector<std::int16_t>& formats) {
    if (impl_->encoder && impl_->formats != formats)
        impl_->encoder->set_formats(impl_->result->types, formats, impl_->session.zone);
    impl_->formats = formats;
}

Outcome<void> ResultStream::set_copy(const CopyOptions& options) {
    std::vector<std::string> names;
    for (const pgwire::ColumnDescription& column : impl_->columns) names.push_back(column.name);
    auto format = resolve_copy_options(options, names);
    if (!format) return format.error();
    impl_->copy = std::move(*format);
    impl_->plain_fixed = copy_takes_plain(*impl_->copy);
    if (impl_->copy->kind == pgwire::CopyKind::binary) impl_->formats = {1};
    if (!impl_->copy->encoding.empty()) impl_->recoder.emplace("", impl_->copy->encoding);
    return {};
}

Outcome<ResultStream::Progress> ResultStream::encode(pgwire::Buffer& out, Limits limits) {
    Progress progress;
    std::size_t row_at = out.size();
    try {
        if (impl_->file) {
            progress.finished = !impl_->put_file(out, limits.bytes_max);
            return progress;
        }
        if (!impl_->gives_rows()) {
            // A single row holds the count of changed rows; of CREATE TABLE AS too, though DuckDB does not call it
            // that.
            auto chunk = impl_->finished ? nullptr : impl_->result->FetchRaw();
            const bool counts = impl_->result->properties.return_type == duckdb::StatementReturnType::CHANGED_ROWS ||
                                impl_->tag == "SELECT";
            if (counts && chunk && chunk->size() == 1) impl_->rows = chunk->GetValue(0, 0).GetValue<std::uint64_t>();
            impl_->end();
            progress.finished = true;
            return progress;
        }
        if (!impl_->encoder) {
            impl_->encoder.emplace(impl_->result->types, impl_->formats, impl_->session.zone,
                                   *impl_->session.connection.context);
        }
        if (impl_->session.interrupted) return interruption();
        while (progress.rows < limits.rows_max && out.size() < limits.bytes_max) {
            if (impl_->encoder->rows_left() == 0 && (impl_->finished || !impl_->load_next())) break;
            row_at = out.size();
            if (impl_->copy && impl_->copy->is_lines()) {
                impl_->encoder->put_copy_line(out, *impl_->copy, impl_->plain_fixed);
                if (impl_->recoder) impl_->recode(out, row_at);
            } else if (impl_->copy) {
                impl_->encoder->put_copy_tuple(out, impl_->rows + progress.rows == 0);
            } else {
                impl_->encoder->put_row(out);
            }
            ++progress.rows;
        }
        impl_->rows += progress.rows;
        progress.finished = impl_->finished && impl_->encoder->rows_left() == 0;
        if (progress.finished && impl_->copy && impl_->copy->kind == pgwire::CopyKind::binary)
            put_copy_trailer(out, impl_->rows == 0);
        return progress;
    } catch (const std::exception& exception) {
        out.truncate(row_at);  // no half-written row
        impl_->end();
        return impl_->session.describe(exception);
    }
}

std::string ResultStream::command_tag() const {
    if (impl_->copy || impl_->file) return "COPY " + std::to_string(impl_->rows);
    const std::string& word = impl_->tag;
    if (word == "INSERT") return "INSERT 0 " + std::to_string(impl_->rows);
    if (word == "SELECT" || word == "UPDATE" || word == "DELETE" || word == "MERGE") {
        return word + " " + std::to_string(impl_->rows);
    }
    return word;
}

Repeats ResultStream::repeats() const {
    return impl_->repeats;
}

Outcome<void> ResultStream::settle() {
    if (impl_->session.reading != impl_.get()) return {};
    return impl_->session.settle();
}

Outcome<void> Session::Impl::settle() {
    if (!reading) return {};
    ResultStream::Impl& stream = *reading;
    try {
        // Backed by the buffer manager: counted against the memory limit, spilled beyond it.
        auto rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(
            duckdb::BufferManager::GetBufferManager(*connection.context), stream.result->types);
        duckdb::ColumnDataAppendState append;
        rows->InitializeAppend(append);
        while (auto chunk = stream.result->Fetch()) {
            if (chunk->size() == 0) break;
            rows->Append(append, *chunk);
        }
        if (stream.result->HasError()) stream.result->ThrowError();
        stream.settled = std::move(rows);
        stream.settled->InitializeScan(stream.scan);
        stream.ahead = {};
        reading = nullptr;
        return {};
    } catch (const std::exception& exception) {
        stream.end();
        return describe(exception);
    }
}

}  // namespace boathouse::engine
