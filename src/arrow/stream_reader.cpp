#include "arrow/stream_reader.hpp"

#include <cerrno>
#include <cstring>
#include <nanoarrow/nanoarrow_ipc.hpp>
#include <string>

#include "arrow/message_check.hpp"
#include "arrow/text_check.hpp"
#include "base/log.hpp"

namespace boathouse::arrow {
namespace {

constexpr std::size_t kAlignmentBytes = 8;  // of messages in a stream
constexpr std::int32_t kPrefixBytes = 8;    // continuation and length; older streams (before 0.15) have 4

Error corrupt(const std::string& what) {
    return {ErrorKind::corrupt, "the body is no Arrow stream that can be read: " + what, "", ""};
}

// Decompresses as nanoarrow does, up to so many bytes of all buffers together.
struct BoundedDecompressor {
    explicit BoundedDecompressor(std::int64_t bytes_max) : left_bytes(bytes_max) {}

    static ArrowErrorCode add(ArrowIpcDecompressor* self, ArrowIpcCompressionType type, ArrowBufferView from,
                              std::uint8_t* to, std::int64_t to_bytes, ArrowError* error) {
        auto& bounded = *static_cast<BoundedDecompressor*>(self->private_data);
        if (to_bytes > bounded.left_bytes) {
            bounded.is_exhausted = true;
            return ENOMEM;
        }
        bounded.left_bytes -= to_bytes;
        const auto decompress = type == NANOARROW_IPC_COMPRESSION_TYPE_ZSTD ? ArrowIpcGetZstdDecompressionFunction()
                                                                            : ArrowIpcGetLZ4DecompressionFunction();
        return decompress(from, to, to_bytes, error);
    }
    static ArrowErrorCode wait(ArrowIpcDecompressor*, std::int64_t, ArrowError*) { return NANOARROW_OK; }
    static void release(ArrowIpcDecompressor* self) { self->release = nullptr; }

    std::int64_t left_bytes;
    bool is_exhausted = false;
};

// What values of this type consist of in a message.
void count_parts(const ArrowArrayView& view, DictionaryParts& parts) {
    ++parts.nodes;
    for (const ArrowBufferType type : view.layout.buffer_type) {
        if (type != NANOARROW_BUFFER_TYPE_NONE) ++parts.buffers;
    }
    for (std::int64_t i = 0; i < view.n_children; ++i) count_parts(*view.children[i], parts);
}

class Reader {
  public:
    Reader(std::string_view bytes, const ReadLimits& limits)
        : bytes_(bytes), limits_(limits), decompressor_(limits.bytes_max) {
        NANOARROW_THROW_NOT_OK(ArrowIpcDecoderInit(decoder_.get()));
        ArrowIpcDecompressor bounded{};
        bounded.decompress_add = BoundedDecompressor::add;
        bounded.decompress_wait = BoundedDecompressor::wait;
        bounded.release = BoundedDecompressor::release;
        bounded.private_data = &decompressor_;
        NANOARROW_THROW_NOT_OK(ArrowIpcDecoderSetDecompressor(decoder_.get(), &bounded));
        ArrowErrorInit(&error_);
    }

    Result<nanoarrow::UniqueSchema> read_schema();
    // One batch, or the dictionaries before it. False: the stream is at its end. After read_schema().
    Result<bool> read_batch(const ArrowSchema& schema, std::vector<nanoarrow::UniqueArray>& batches);

  private:
    Error fault(const std::string& what) const;
    Error fault(ArrowErrorCode code) const;
    // The next message's header is decoded, and its body is at hand; false: the end marker.
    Result<bool> next_message();
    Status take_dictionary();
    Result<bool> take_batch(const ArrowSchema& schema, std::vector<nanoarrow::UniqueArray>& batches);

    const std::string_view bytes_;
    const ReadLimits limits_;
    BoundedDecompressor decompressor_;
    nanoarrow::ipc::UniqueDecoder decoder_;
    nanoarrow::ipc::UniqueDictionaryEncodings encodings_;  // of the schema, which must be there
    nanoarrow::ipc::UniqueDictionaries dictionaries_;
    ArrowError error_{};
    std::size_t begin_ = 0;  // of the message
    std::size_t next_ = 0;   // of the one after it
    int messages_ = 0;
    std::string_view metadata_{};  // of the message, without its prefix
    ArrowBufferView body_{};
    std::int64_t rows_ = 0;
};

Error Reader::fault(const std::string& what) const {
    return corrupt(fmt::format("message {} at byte {}: {}", messages_, begin_, what));
}

Error Reader::fault(ArrowErrorCode code) const {
    if (decompressor_.is_exhausted) {
        return {ErrorKind::limit, fmt::format("the body is larger than {} bytes once decompressed", limits_.bytes_max),
                "", ""};
    }
    return fault(error_.message[0] != '\0' ? std::string(error_.message) : std::string(std::strerror(code)));
}

Result<bool> Reader::next_message() {
    ++messages_;
    begin_ = next_;
    const std::size_t left = bytes_.size() - begin_;
    if (left == 0)
        return fault(messages_ == 1 ? "it is empty"
                                    : "it ends without its end marker, so that it may have been cut off");
    ArrowBufferView message{};
    message.data.data = bytes_.data() + begin_;
    message.size_bytes = static_cast<std::int64_t>(left);
    if (begin_ % kAlignmentBytes != 0) return fault("it does not begin at a multiple of 8 bytes");
    if (left < static_cast<std::size_t>(kPrefixBytes)) return fault("it is cut off");
    std::int32_t prefix_bytes = 0;
    ArrowErrorCode code = ArrowIpcDecoderPeekHeader(decoder_.get(), message, &prefix_bytes, &error_);
    if (code == ENODATA) return false;
    if (code != NANOARROW_OK) return fault(code);
    if (prefix_bytes != kPrefixBytes) return fault("it is of a version of Arrow before 0.15");
    const std::int64_t header_bytes = decoder_->header_size_bytes;
    if (header_bytes < kPrefixBytes || header_bytes > message.size_bytes) return fault("its header is cut off");
    code = ArrowIpcDecoderVerifyHeader(decoder_.get(), message, &error_);
    if (code != NANOARROW_OK) return fault(code);
    const std::int64_t body_bytes = decoder_->body_size_bytes;
    if (body_bytes < 0 || body_bytes > message.size_bytes - header_bytes) {
        return fault(fmt::format("its body is cut off: {} bytes of {} are there", message.size_bytes - header_bytes,
                                 body_bytes));
    }
    metadata_ = bytes_.substr(begin_ + kPrefixBytes, static_cast<std::size_t>(header_bytes - kPrefixBytes));
    if (const auto wrong = find_message_fault(metadata_, body_bytes)) return fault(*wrong);
    code = ArrowIpcDecoderDecodeHeader(decoder_.get(), message, &error_);
    if (code != NANOARROW_OK) return fault(code);
    body_.data.data = message.data.as_uint8 + header_bytes;
    body_.size_bytes = body_bytes;
    next_ = begin_ + static_cast<std::size_t>(header_bytes + body_bytes);
    return true;
}

Result<nanoarrow::UniqueSchema> Reader::read_schema() {
    const auto more = next_message();
    if (!more) return more.error();
    if (!*more || decoder_->message_type != NANOARROW_IPC_MESSAGE_TYPE_SCHEMA)
        return fault("a stream begins with a schema");
    nanoarrow::UniqueSchema schema;
    ArrowErrorCode code = ArrowIpcDecoderSetEndianness(decoder_.get(), decoder_->endianness);
    if (code == NANOARROW_OK)
        code = ArrowIpcDecoderDecodeSchemaWithDictionaries(decoder_.get(), schema.get(), encodings_.get(), &error_);
    if (code == NANOARROW_OK) code = ArrowIpcDictionariesInit(dictionaries_.get(), encodings_.get(), &error_);
    if (code == NANOARROW_OK) {
        code = ArrowIpcDecoderSetSchemaWithDictionaries(decoder_.get(), schema.get(), encodings_.get(), &error_);
    }
    if (code != NANOARROW_OK) return fault(code);
    if (const auto bad = find_bad_name(*schema.get())) return fault("the name of a field is not UTF-8: " + *bad);
    return schema;
}

Status Reader::take_dictionary() {
    const DictionaryParts parts = parts_of_dictionary(metadata_);
    const auto* const encoding = ArrowIpcDictionaryEncodingsFindById(encodings_.get(), parts.id);
    if (encoding == nullptr) return fault("a dictionary that no field has");
    nanoarrow::UniqueArrayView values;
    NANOARROW_THROW_NOT_OK(ArrowArrayViewInitFromSchema(values.get(), encoding->schema->dictionary, nullptr));
    DictionaryParts needed;
    count_parts(*values.get(), needed);
    if (parts.nodes < needed.nodes || parts.buffers < needed.buffers)
        return fault("a dictionary without all the buffers of its type");
    const ArrowErrorCode code = ArrowIpcDecoderDecodeDictionary(decoder_.get(), body_, NANOARROW_VALIDATION_LEVEL_FULL,
                                                                dictionaries_.get(), &error_);
    if (code != NANOARROW_OK) return fault(code);
    return {};
}

Result<bool> Reader::take_batch(const ArrowSchema& schema, std::vector<nanoarrow::UniqueArray>& batches) {
    nanoarrow::UniqueArray batch;
    const ArrowErrorCode code = ArrowIpcDecoderDecodeArrayWithDictionaries(
        decoder_.get(), body_, -1, dictionaries_.get(), batch.get(), NANOARROW_VALIDATION_LEVEL_FULL, &error_);
    if (code != NANOARROW_OK) return fault(code);
    if (batch->length > limits_.rows_max - rows_) {
        return Error{ErrorKind::limit, fmt::format("the body has more than {} rows", limits_.rows_max),
                     "Send them in several requests.", ""};
    }
    if (const auto bad = find_bad_text(schema, *batch.get(), rows_)) return *bad;
    rows_ += batch->length;
    batches.push_back(std::move(batch));
    return true;
}

Result<bool> Reader::read_batch(const ArrowSchema& schema, std::vector<nanoarrow::UniqueArray>& batches) {
    auto more = next_message();
    if (!more || !*more) return more;
    switch (decoder_->message_type) {
        case NANOARROW_IPC_MESSAGE_TYPE_DICTIONARY_BATCH:
            if (auto taken = take_dictionary(); !taken) return taken.error();
            return true;
        case NANOARROW_IPC_MESSAGE_TYPE_RECORD_BATCH:
            return take_batch(schema, batches);
        default:
            return fault("neither a record batch nor a dictionary");
    }
}

}  // namespace

Result<Batches> read_stream(std::string_view bytes, const ReadLimits& limits) {
    Reader reader(bytes, limits);
    auto schema = reader.read_schema();
    if (!schema) return schema.error();
    Batches stream{std::move(*schema)};
    while (true) {
        const auto more = reader.read_batch(*stream.schema.get(), stream.batches);
        if (!more) return more.error();
        if (!*more) return stream;
    }
}

Result<nanoarrow::UniqueSchema> read_schema(std::string_view bytes) {
    return Reader(bytes, {}).read_schema();
}

}  // namespace boathouse::arrow
