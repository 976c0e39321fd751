#include "gateway/outgoing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace boathouse::gateway {
namespace {

pgwire::Buffer buffer_of(const std::string& text) {
    pgwire::Buffer buffer;
    buffer.put(text);
    return buffer;
}

std::string text_of(const Outgoing::Batch& batch) {
    std::string text;
    for (const pgwire::Buffer& buffer : batch.buffers) text += buffer.view();
    return text.substr(batch.skip);
}

TEST(Outgoing, KeepsTheOrderOfShortAndLongAnswers) {
    Outgoing outgoing;
    std::string expected;
    for (const std::size_t length : {3u, 100'000u, 5u, 70'000u, 70'000u, 1u}) {
        const std::string text(length, static_cast<char>('a' + expected.size() % 26));
        pgwire::Buffer out = buffer_of(text);
        outgoing.push(out);
        EXPECT_TRUE(out.empty());
        expected += text;
    }
    EXPECT_EQ(outgoing.size(), expected.size());
    EXPECT_EQ(text_of(outgoing.take()), expected);
    EXPECT_TRUE(outgoing.empty());
}

TEST(Outgoing, LeavesOutWhatHasGoneAlready) {
    Outgoing outgoing;
    pgwire::Buffer first = buffer_of("gone, first");
    outgoing.push(first, 6);
    pgwire::Buffer second = buffer_of("gone, " + std::string(10'000, 'x'));
    outgoing.push(second, 6);
    EXPECT_EQ(outgoing.size(), 5 + 10'000);
    EXPECT_EQ(text_of(outgoing.take()), "first" + std::string(10'000, 'x'));
}

TEST(Outgoing, GivesWrittenBuffersOutAgain) {
    Outgoing outgoing;
    pgwire::Buffer out = buffer_of(std::string(100'000, 'x'));
    const char* const memory = out.data();
    outgoing.push(out);
    auto batch = outgoing.take();
    outgoing.recycle(batch);
    EXPECT_TRUE(batch.empty());
    pgwire::Buffer next = buffer_of(std::string(10'000, 'y'));
    outgoing.push(next);
    EXPECT_TRUE(next.empty());
    EXPECT_EQ(next.data(), memory);
}

}  // namespace
}  // namespace boathouse::gateway
