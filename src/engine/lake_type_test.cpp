#include "engine/lake_type.hpp"

#include <gtest/gtest.h>

#include "pgwire/types.hpp"

namespace boathouse::engine {
namespace {

std::uint32_t oid(const std::string& type, bool is_list = false) {
    return describe_lake_column("c", type, is_list).type;
}

TEST(LakeType, NamesThePostgresqlTypeThatTheValuesGoAs) {
    EXPECT_EQ(oid("boolean"), pgwire::kBool.oid);
    EXPECT_EQ(oid("int8"), pgwire::kInt2.oid) << "a byte in DuckLake, not PostgreSQL's eight";
    EXPECT_EQ(oid("int16"), pgwire::kInt2.oid);
    EXPECT_EQ(oid("int32"), pgwire::kInt4.oid);
    EXPECT_EQ(oid("int64"), pgwire::kInt8.oid);
    EXPECT_EQ(oid("int128"), pgwire::kNumeric.oid);
    EXPECT_EQ(oid("uint32"), pgwire::kInt8.oid);
    EXPECT_EQ(oid("uint64"), pgwire::kNumeric.oid);
    EXPECT_EQ(oid("float32"), pgwire::kFloat4.oid);
    EXPECT_EQ(oid("float64"), pgwire::kFloat8.oid);
    EXPECT_EQ(oid("varchar"), pgwire::kText.oid);
    EXPECT_EQ(oid("blob"), pgwire::kBytea.oid);
    EXPECT_EQ(oid("date"), pgwire::kDate.oid);
    EXPECT_EQ(oid("time"), pgwire::kTime.oid);
    EXPECT_EQ(oid("timetz"), pgwire::kTimetz.oid);
    EXPECT_EQ(oid("timestamp"), pgwire::kTimestamp.oid);
    EXPECT_EQ(oid("timestamp_ns"), pgwire::kTimestamp.oid);
    EXPECT_EQ(oid("timestamptz"), pgwire::kTimestamptz.oid);
    EXPECT_EQ(oid("interval"), pgwire::kInterval.oid);
    EXPECT_EQ(oid("uuid"), pgwire::kUuid.oid);
    EXPECT_EQ(oid("json"), pgwire::kJson.oid);
    EXPECT_EQ(oid("struct"), pgwire::kJson.oid);
    EXPECT_EQ(oid("map"), pgwire::kJson.oid);
    EXPECT_EQ(oid("variant"), pgwire::kJson.oid);
}

TEST(LakeType, KeepsPrecisionAndScale) {
    const auto column = describe_lake_column("c", "decimal(10,2)", false);
    EXPECT_EQ(column.type, pgwire::kNumeric.oid);
    EXPECT_EQ(column.modifier, pgwire::numeric_modifier(10, 2));
    EXPECT_EQ(describe_lake_column("c", "decimal(5,1)", true).modifier, pgwire::numeric_modifier(5, 1));
}

TEST(LakeType, MakesListsArrays) {
    EXPECT_EQ(oid("int32", true), pgwire::kInt4.array_oid);
    EXPECT_EQ(oid("varchar", true), pgwire::kText.array_oid);
    EXPECT_EQ(oid("struct", true), pgwire::kJson.array_oid);
}

TEST(LakeType, TakesAnUnknownNameForText) {
    EXPECT_EQ(oid("of the future(7)"), pgwire::kText.oid);
    EXPECT_EQ(oid("unknown"), pgwire::kText.oid);
}

}  // namespace
}  // namespace boathouse::engine
