#include "pgwire/frontend.hpp"

#include <gtest/gtest.h>

#include <random>

#include "pgwire/backend.hpp"

namespace boathouse::pgwire {
namespace {

std::string message(char type, std::string_view body) {
    Buffer out;
    {
        const Message scope(out, type);
        out.put(body);
    }
    return std::string(out.view());
}

TEST(TakeFrame, WaitsForWholeMessages) {
    const std::string bytes = message('Q', std::string_view("SELECT 1\0", 9));
    std::size_t consumed = 1;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const auto frame = take_frame(std::string_view(bytes).substr(0, length), false, 1000, consumed);
        ASSERT_TRUE(frame.has_value());
        EXPECT_FALSE(frame->has_value());
        EXPECT_EQ(consumed, 0U);
    }
    const auto frame = take_frame(bytes + "more", false, 1000, consumed);
    ASSERT_TRUE(frame.has_value() && frame->has_value());
    EXPECT_EQ(consumed, bytes.size());
    EXPECT_EQ((*frame)->type, 'Q');
    EXPECT_EQ(decode_query(**frame).value(), "SELECT 1");
}

TEST(TakeFrame, RefusesLengthsBeforeTheBytesArrive) {
    std::size_t consumed = 0;
    EXPECT_FALSE(take_frame(std::string_view("Q\0\0\0\3", 5), false, 1000, consumed).has_value());
    EXPECT_FALSE(take_frame(std::string_view("Q\x7f\xff\xff\xff", 5), false, 1000, consumed).has_value());
    EXPECT_FALSE(take_frame(std::string_view("Q\xff\xff\xff\xff", 5), false, 1000, consumed).has_value());
}

TEST(DecodeBind, ReadsFormatsAndNulls) {
    Buffer body;
    body.put_cstring("portal");
    body.put_cstring("statement");
    body.put_i16(1);
    body.put_i16(1);
    body.put_i16(2);
    body.put_i32(-1);
    body.put_i32(3);
    body.put("abc");
    body.put_i16(0);
    const Frame frame{'B', std::string(body.view())};
    const auto bind = decode_bind(frame);
    ASSERT_TRUE(bind.has_value());
    EXPECT_EQ(bind->portal, "portal");
    EXPECT_EQ(bind->statement, "statement");
    ASSERT_EQ(bind->parameters.size(), 2U);
    EXPECT_FALSE(bind->parameters[0].has_value());
    EXPECT_EQ(bind->parameters[1], "abc");
    EXPECT_EQ(format_of(bind->parameter_formats, 1), 1);
    EXPECT_EQ(format_of(bind->result_formats, 7), 0);
}

// Whatever the bytes, decoding ends, and what it returns lies within the message.
TEST(Decode, TrustsNoByte) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 20'000; ++round) {
        Frame frame{'B', std::string(random() % 40, '\0')};
        // Small numbers are likelier to look like counts and lengths.
        for (char& byte : frame.body) byte = static_cast<char>(random() % (random() % 2 == 0 ? 4 : 256));
        const auto within = [&](std::string_view view) {
            return view.empty() || (view.data() >= frame.body.data() &&
                                    view.data() + view.size() <= frame.body.data() + frame.body.size());
        };
        if (const auto bind = decode_bind(frame)) {
            for (const auto& parameter : bind->parameters) EXPECT_TRUE(!parameter || within(*parameter));
        }
        const auto parse = decode_parse(frame);
        EXPECT_TRUE(!parse || within(parse->query));
        const auto initial = decode_sasl_initial(frame);
        EXPECT_TRUE(!initial || within(initial->mechanism));
        static_cast<void>(decode_startup(frame));
        static_cast<void>(decode_target(frame));
        static_cast<void>(decode_execute(frame));
    }
}

}  // namespace
}  // namespace boathouse::pgwire
