#include "backup/sealed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace boathouse::backup {
namespace {

using testing::HasSubstr;

const Secret kKey("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
const Secret kOtherKey("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
constexpr std::size_t kHeaderBytes = 43;
constexpr std::size_t kSealedChunkBytes = 65552;

class TextSink final : public Sink {
  public:
    explicit TextSink(std::string& text) : text_(text) {}
    Status write(std::string_view bytes) override {
        text_ += bytes;
        return {};
    }
    Status finish() override { return {}; }

  private:
    std::string& text_;
};

class TextSource final : public Source {
  public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        const std::size_t part = std::min({size, text_.size() - position_, std::size_t{1000}});
        std::memcpy(buffer, text_.data() + position_, part);
        position_ += part;
        return part;
    }

  private:
    const std::string text_;
    std::size_t position_ = 0;
};

std::string sealed(const std::string& text) {
    std::string out;
    auto sink = seal_sink(std::make_unique<TextSink>(out), kKey).value();
    for (std::size_t i = 0; i < text.size(); i += 7777) sink->write(std::string_view(text).substr(i, 7777)).value();
    sink->finish().value();
    return out;
}

Result<std::string> unsealed(const std::string& text, const Secret& key = kKey) {
    auto source = unseal_source(std::make_unique<TextSource>(text), key, "the file");
    if (!source) return source.error();
    std::string out;
    TextSink sink(out);
    const auto copied = copy(**source, sink);
    if (!copied) return copied.error();
    return out;
}

std::string sample(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

TEST(SealedTest, GivesBackWhatWasSealed) {
    for (const std::size_t size : {0, 1, 65535, 65536, 65537, 131072, 300000}) {
        EXPECT_EQ(unsealed(sealed(sample(size))).value(), sample(size)) << size;
    }
}

TEST(SealedTest, SealsTheSameBytesDifferently) {
    EXPECT_NE(sealed("the same"), sealed("the same"));
    EXPECT_EQ(sealed(std::string(1000, 'x')).find("xxxx"), std::string::npos);
}

TEST(SealedTest, NoticesEveryCut) {
    const std::string whole = sealed(sample(140000));
    for (const std::size_t size : {kHeaderBytes + kSealedChunkBytes, kHeaderBytes + 2 * kSealedChunkBytes, kHeaderBytes,
                                   whole.size() - 1, std::size_t{20}, std::size_t{0}}) {
        const auto cut = unsealed(whole.substr(0, size));
        ASSERT_FALSE(cut) << size;
        EXPECT_EQ(cut.error().kind, ErrorKind::corrupt) << size;
    }
}

TEST(SealedTest, NoticesWhatWasChangedOrSwapped) {
    const std::string whole = sealed(sample(140000));
    for (const std::size_t at :
         {kHeaderBytes + 5, kHeaderBytes + kSealedChunkBytes - 1, whole.size() - 1, kHeaderBytes - 1}) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(unsealed(changed)) << at;
    }
    std::string swapped =
        whole.substr(0, kHeaderBytes) + whole.substr(kHeaderBytes + kSealedChunkBytes, kSealedChunkBytes) +
        whole.substr(kHeaderBytes, kSealedChunkBytes) + whole.substr(kHeaderBytes + 2 * kSealedChunkBytes);
    EXPECT_FALSE(unsealed(swapped));
    EXPECT_FALSE(unsealed(whole + "more"));
}

TEST(SealedTest, TellsAWrongKeyFromADamagedFile) {
    const auto wrong = unsealed(sealed("secret"), kOtherKey);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, ErrorKind::permission);
    EXPECT_THAT(wrong.error().message, HasSubstr("encrypted with the key " + key_id(kKey)));
    EXPECT_THAT(wrong.error().message, HasSubstr(key_id(kOtherKey)));
    EXPECT_THAT(unsealed(sealed("secret"), Secret()).error().message, HasSubstr("no key is given"));
}

}  // namespace
}  // namespace boathouse::backup
