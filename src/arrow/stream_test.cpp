#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "arrow/stream_reader.hpp"
#include "arrow/stream_writer.hpp"

namespace boathouse::arrow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr ReadLimits kLimits{.bytes_max = 1 << 20, .rows_max = 100'000};
constexpr int kRows = 50;

// id int64, name string, tags list of strings.
nanoarrow::UniqueSchema make_schema() {
    nanoarrow::UniqueSchema schema;
    ArrowSchemaInit(schema.get());
    NANOARROW_THROW_NOT_OK(ArrowSchemaSetTypeStruct(schema.get(), 3));
    const char* const names[] = {"id", "name", "tags"};
    const ArrowType types[] = {NANOARROW_TYPE_INT64, NANOARROW_TYPE_STRING, NANOARROW_TYPE_LIST};
    for (int i = 0; i < 3; ++i) {
        NANOARROW_THROW_NOT_OK(ArrowSchemaSetType(schema->children[i], types[i]));
        NANOARROW_THROW_NOT_OK(ArrowSchemaSetName(schema->children[i], names[i]));
    }
    NANOARROW_THROW_NOT_OK(ArrowSchemaSetType(schema->children[2]->children[0], NANOARROW_TYPE_STRING));
    return schema;
}

ArrowStringView text(const std::string& bytes) {
    return {bytes.data(), static_cast<std::int64_t>(bytes.size())};
}

nanoarrow::UniqueArray make_batch(const ArrowSchema& schema, const std::string& name) {
    nanoarrow::UniqueArray batch;
    NANOARROW_THROW_NOT_OK(ArrowArrayInitFromSchema(batch.get(), &schema, nullptr));
    NANOARROW_THROW_NOT_OK(ArrowArrayStartAppending(batch.get()));
    for (int row = 0; row < kRows; ++row) {
        NANOARROW_THROW_NOT_OK(ArrowArrayAppendInt(batch->children[0], row));
        if (row % 7 == 0) {
            NANOARROW_THROW_NOT_OK(ArrowArrayAppendNull(batch->children[1], 1));
        } else {
            NANOARROW_THROW_NOT_OK(ArrowArrayAppendString(batch->children[1], text(name)));
        }
        for (int tag = 0; tag < row % 4; ++tag)
            NANOARROW_THROW_NOT_OK(ArrowArrayAppendString(batch->children[2]->children[0], text(name)));
        NANOARROW_THROW_NOT_OK(ArrowArrayFinishElement(batch->children[2]));
        NANOARROW_THROW_NOT_OK(ArrowArrayFinishElement(batch.get()));
    }
    NANOARROW_THROW_NOT_OK(ArrowArrayFinishBuildingDefault(batch.get(), nullptr));
    return batch;
}

std::string make_stream(int batches, const std::string& name = "a name") {
    const auto schema = make_schema();
    auto writer = StreamWriter::begin(*schema.get()).value();
    for (int i = 0; i < batches; ++i) writer.write(*make_batch(*schema.get(), name).get()).value();
    writer.finish().value();
    return std::string(writer.bytes());
}

std::string fault_of(std::string_view bytes, const ReadLimits& limits = kLimits) {
    const auto read = read_stream(bytes, limits);
    return read ? "" : read.error().message;
}

TEST(ArrowStreamTest, ReadsWhatIsWritten) {
    const auto read = read_stream(make_stream(3), kLimits).value();
    ASSERT_EQ(read.schema->n_children, 3);
    EXPECT_STREQ(read.schema->children[1]->name, "name");
    ASSERT_EQ(read.batches.size(), 3U);
    EXPECT_EQ(read.batches[2]->length, kRows);
    nanoarrow::UniqueArrayView view;
    NANOARROW_THROW_NOT_OK(ArrowArrayViewInitFromSchema(view.get(), read.schema.get(), nullptr));
    NANOARROW_THROW_NOT_OK(ArrowArrayViewSetArray(view.get(), read.batches[2].get(), nullptr));
    EXPECT_EQ(ArrowArrayViewGetIntUnsafe(view->children[0], 49), 49);
    EXPECT_TRUE(ArrowArrayViewIsNull(view->children[1], 49));
}

TEST(ArrowStreamTest, ReadsAStreamWithoutBatches) {
    EXPECT_TRUE(read_stream(make_stream(0), kLimits).value().batches.empty());
    EXPECT_EQ(read_schema(make_stream(0)).value()->n_children, 3);
}

TEST(ArrowStreamTest, RefusesAStreamThatIsCutOffAnywhere) {
    const std::string stream = make_stream(2);
    for (std::size_t size = 0; size < stream.size(); ++size)
        EXPECT_THAT(fault_of(stream.substr(0, size)), HasSubstr("at byte")) << size;
}

TEST(ArrowStreamTest, SaysWhereTheFaultIs) {
    EXPECT_THAT(fault_of(""), HasSubstr("it is empty"));
    EXPECT_THAT(fault_of("PAR1PAR1PAR1PAR1"), HasSubstr("message 1 at byte 0"));
    std::string stream = make_stream(2);
    stream.resize(stream.size() - 8);
    EXPECT_THAT(fault_of(stream), AllOf(HasSubstr("message 4"), HasSubstr("end marker")));
}

TEST(ArrowStreamTest, RefusesTextsThatAreNotUtf8) {
    EXPECT_THAT(fault_of(make_stream(1, "\xc3\x28")), AllOf(HasSubstr("row 2"), HasSubstr("\"name\"")));
}

TEST(ArrowStreamTest, RefusesMoreRowsThanItMayHave) {
    EXPECT_THAT(fault_of(make_stream(3), {.bytes_max = 1 << 20, .rows_max = 149}), HasSubstr("more than 149 rows"));
    EXPECT_EQ(fault_of(make_stream(3), {.bytes_max = 1 << 20, .rows_max = 150}), "");
}

// Whatever comes is read or refused. What is read keeps its promises: the walk over it stays inside its buffers.
TEST(ArrowStreamTest, SurvivesStreamsThatAreDamaged) {
    constexpr unsigned kSeed = 20'261'123;
    constexpr int kDamages = 20'000;
    const std::string stream = make_stream(2);
    std::mt19937 random(kSeed);
    int refused = 0;
    for (int i = 0; i < kDamages; ++i) {
        std::string damaged = stream;
        for (unsigned changes = 1 + random() % 4; changes > 0; --changes)
            damaged[random() % damaged.size()] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
        if (!read_stream(damaged, kLimits)) ++refused;
    }
    EXPECT_GT(refused, kDamages / 10) << "seed " << kSeed;
}

}  // namespace
}  // namespace boathouse::arrow
