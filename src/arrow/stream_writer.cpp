#include "arrow/stream_writer.hpp"

#include <nanoarrow/nanoarrow_ipc.hpp>

namespace boathouse::arrow {

struct StreamWriter::Impl {
    nanoarrow::UniqueBuffer bytes;
    nanoarrow::ipc::UniqueWriter writer;  // writes into bytes
    nanoarrow::UniqueArrayView view;
};

namespace {

Status outcome(ArrowErrorCode code, const ArrowError& error) {
    if (code == NANOARROW_OK) return {};
    return Error{ErrorKind::internal, std::string("the rows cannot be written as Arrow: ") + error.message, "", ""};
}

}  // namespace

StreamWriter::StreamWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamWriter::StreamWriter(StreamWriter&&) noexcept = default;
StreamWriter& StreamWriter::operator=(StreamWriter&&) noexcept = default;
StreamWriter::~StreamWriter() = default;

Result<StreamWriter> StreamWriter::begin(const ArrowSchema& schema) {
    auto impl = std::make_unique<Impl>();
    ArrowError error;
    ArrowErrorInit(&error);
    nanoarrow::ipc::UniqueOutputStream out;
    ArrowErrorCode code = ArrowIpcOutputStreamInitBuffer(out.get(), impl->bytes.get());
    if (code == NANOARROW_OK) code = ArrowIpcWriterInit(impl->writer.get(), out.get());
    if (code == NANOARROW_OK) code = ArrowIpcWriterWriteSchema(impl->writer.get(), &schema, &error);
    if (code == NANOARROW_OK) code = ArrowArrayViewInitFromSchema(impl->view.get(), &schema, &error);
    if (auto status = outcome(code, error); !status) return status.error();
    return StreamWriter(std::move(impl));
}

Status StreamWriter::write(const ArrowArray& batch) {
    ArrowError error;
    ArrowErrorInit(&error);
    ArrowErrorCode code = ArrowArrayViewSetArray(impl_->view.get(), &batch, &error);
    if (code == NANOARROW_OK) code = ArrowIpcWriterWriteArrayView(impl_->writer.get(), impl_->view.get(), &error);
    return outcome(code, error);
}

Status StreamWriter::finish() {
    ArrowError error;
    ArrowErrorInit(&error);
    return outcome(ArrowIpcWriterWriteArrayView(impl_->writer.get(), nullptr, &error), error);
}

std::string_view StreamWriter::bytes() const {
    return {reinterpret_cast<const char*>(impl_->bytes->data), static_cast<std::size_t>(impl_->bytes->size_bytes)};
}

void StreamWriter::forget_bytes() {
    impl_->bytes->size_bytes = 0;
}

}  // namespace boathouse::arrow
