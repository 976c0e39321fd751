// Rows on their way to the client: as many as a limit allows, then CommandComplete or PortalSuspended.
#include <algorithm>

#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using pgwire::Buffer;

Answer Session::answer_with(std::shared_ptr<Rows> rows, const Form& form, Buffer& out) {
    const auto& columns = rows->stream->columns();
    if (form.with_description && !columns.empty()) pgwire::put_row_description(out, columns, form.formats);
    Answer answer;
    answer.rows = std::move(rows);
    answer.formats = form.formats;
    return answer;
}

Answer Session::copy_answer(std::unique_ptr<engine::ResultStream> stream) {
    Answer answer;
    answer.rows = std::make_shared<Rows>(Rows{std::move(stream)});
    answer.is_copy = true;
    return answer;
}

Outcome<Session::Progress> Session::send_rows(Answer& answer, std::uint64_t& rows_max, Buffer& out) {
    engine::ResultStream& stream = *answer.rows->stream;
    if (!answer.is_copy) stream.set_formats(answer.formats);
    const auto progress = stream.encode(out, {std::min(answer.left, rows_max), kOutputBytes});
    if (!progress) return progress.error();
    answer.rows->taken += progress->rows;
    answer.sent += progress->rows;
    if (answer.left != UINT64_MAX) answer.left -= progress->rows;
    if (rows_max != UINT64_MAX) rows_max -= progress->rows;
    if (progress->finished || answer.left == 0) {
        if (auto applied = apply_set_config(out); !applied) return applied.error();
        if (!engine_in_transaction_) own_made(out);
        if (answer.is_copy) pgwire::put_empty(out, 'c');
        pgwire::put_command_complete(
            out, answer.tag.empty() ? stream.command_tag() : answer.tag + " " + std::to_string(answer.sent));
        return Progress::complete;
    }
    return rows_max == 0 ? Progress::suspended : Progress::more;
}

}  // namespace boathouse::gateway
