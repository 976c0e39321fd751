#include "cache/kept_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace boathouse::cache {
namespace {

using engine::Outcome;

// Of a message: its type, and the length of the rest with these four bytes
// (https://www.postgresql.org/docs/15/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS).
std::size_t message_bytes(std::string_view messages) {
    std::uint32_t length = 0;
    std::memcpy(&length, messages.data() + 1, sizeof(length));
    return 1 + std::size_t{pgwire::network_order(length)};
}

class KeptRows final : public engine::ResultStream {
  public:
    explicit KeptRows(std::shared_ptr<const KeptAnswer> answer) : answer_(std::move(answer)) {}

    const std::vector<pgwire::ColumnDescription>& columns() const override { return answer_->columns; }
    void set_formats(const std::vector<std::int16_t>& /*formats*/) override {}
    Outcome<void> set_copy(const engine::CopyOptions& /*options*/) override {
        return engine::QueryError{"0A000", "a kept answer is not copied"};
    }

    Outcome<Progress> encode(pgwire::Buffer& out, Limits limits) override {
        const std::string_view left = std::string_view(answer_->rows).substr(at_);
        const std::size_t room = limits.bytes_max > out.size() ? limits.bytes_max - out.size() : 0;
        Progress progress;
        std::size_t bytes = 0;
        while (bytes < left.size() && bytes < room && progress.rows < limits.rows_max) {
            bytes += message_bytes(left.substr(bytes));
            ++progress.rows;
        }
        out.put(left.substr(0, bytes));
        at_ += bytes;
        progress.finished = at_ == answer_->rows.size();
        return progress;
    }

    std::string command_tag() const override { return answer_->tag; }
    Outcome<void> settle() override { return {}; }
    engine::Repeats repeats() const override { return engine::Repeats::never; }  // it is kept already

  private:
    const std::shared_ptr<const KeptAnswer> answer_;
    std::size_t at_ = 0;
};

class RecordedRows final : public engine::ResultStream {
  public:
    RecordedRows(std::unique_ptr<engine::ResultStream> rows, std::unique_ptr<Results::Computation> computation,
                 access::Needs needs, NewestSnapshot& newest)
        : rows_(std::move(rows)), computation_(std::move(computation)), needs_(std::move(needs)), newest_(newest) {}

    const std::vector<pgwire::ColumnDescription>& columns() const override { return rows_->columns(); }
    void set_formats(const std::vector<std::int16_t>& formats) override {
        if (!record_.empty() && formats != formats_) computation_.reset();
        formats_ = formats;
        rows_->set_formats(formats);
    }
    Outcome<void> set_copy(const engine::CopyOptions& options) override {
        computation_.reset();
        return rows_->set_copy(options);
    }

    Outcome<Progress> encode(pgwire::Buffer& out, Limits limits) override {
        const std::size_t before = out.size();
        auto progress = rows_->encode(out, limits);
        if (!computation_) return progress;
        if (!progress || record_.size() + out.size() - before > computation_->bytes_max()) {
            computation_.reset();
            record_ = {};
            return progress;
        }
        record_ += out.view().substr(before);
        if (progress->finished) {
            keep();
        } else {
            computation_->let_go();  // the client takes its time
        }
        return progress;
    }

    std::string command_tag() const override { return rows_->command_tag(); }
    Outcome<void> settle() override { return rows_->settle(); }
    engine::Repeats repeats() const override { return rows_->repeats(); }

  private:
    void keep() {
        KeptAnswer answer{rows_->columns(), std::move(record_), rows_->command_tag(), std::nullopt, std::move(needs_)};
        record_ = {};
        if (rows_->repeats() == engine::Repeats::in_snapshot) {
            answer.snapshot = snapshot_;
            const auto newest = newest_.ask();
            // The query may have read either; and a catalog that does not answer tells nothing.
            if (!newest || newest->snapshot != snapshot_) return computation_.reset();
        }
        computation_->keep(std::move(answer));
        computation_.reset();
    }

    const std::unique_ptr<engine::ResultStream> rows_;
    std::unique_ptr<Results::Computation> computation_;  // null: nothing is kept
    const long long snapshot_ = computation_->snapshot();
    access::Needs needs_;
    NewestSnapshot& newest_;
    std::vector<std::int16_t> formats_;
    std::string record_;
};

}  // namespace

std::unique_ptr<engine::ResultStream> give(std::shared_ptr<const KeptAnswer> answer) {
    return std::make_unique<KeptRows>(std::move(answer));
}

std::unique_ptr<engine::ResultStream> record(std::unique_ptr<engine::ResultStream> rows,
                                             std::unique_ptr<Results::Computation> computation, access::Needs needs,
                                             NewestSnapshot& newest) {
    return std::make_unique<RecordedRows>(std::move(rows), std::move(computation), std::move(needs), newest);
}

}  // namespace boathouse::cache
