// Bytes on their way out: a growable array that encoders append to, in network byte order.
//
// A plain value owned by one thread at a time; moved, not copied, from the encoder to the socket. Growth doubles, so an
// append costs amortised constant time; who fills a buffer in a loop bounds it by size(). Nothing fails but memory.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace boathouse::pgwire {

// The value with its bytes in network order, on any machine.
template <class T>
T network_order(T value) {
    static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);
    if constexpr (std::endian::native == std::endian::little) {
        if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
        if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
        if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
    }
    return value;
}

class Buffer {
  public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        swap(other);
        return *this;
    }

    const char* data() const { return bytes_.get(); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::string_view view() const { return {bytes_.get(), size_}; }

    void clear() { size_ = 0; }
    void truncate(std::size_t size) { size_ = size; }
    // Also gives the memory back.
    void reset() {
        bytes_.reset();
        size_ = capacity_ = 0;
    }

    // Room for `count` more bytes; advance() says how many of them were written.
    char* room(std::size_t count) {
        if (capacity_ - size_ < count) grow(count);
        return bytes_.get() + size_;
    }
    void advance(std::size_t count) { size_ += count; }

    void put_bytes(const void* bytes, std::size_t count) {
        if (count == 0) return;
        std::memcpy(room(count), bytes, count);
        size_ += count;
    }
    void put(std::string_view text) { put_bytes(text.data(), text.size()); }
    void put_byte(char byte) {
        *room(1) = byte;
        ++size_;
    }
    void put_i16(std::int16_t value) { put_integer(value); }
    void put_i32(std::int32_t value) { put_integer(value); }
    void put_i64(std::int64_t value) { put_integer(value); }
    // A string of the protocol: its bytes and a zero byte.
    void put_cstring(std::string_view text) {
        put(text);
        put_byte('\0');
    }

    void set_i32(std::size_t at, std::int32_t value) {
        value = network_order(value);
        std::memcpy(bytes_.get() + at, &value, sizeof value);
    }
    void set_i16(std::size_t at, std::int16_t value) {
        value = network_order(value);
        std::memcpy(bytes_.get() + at, &value, sizeof value);
    }

    void swap(Buffer& other) noexcept {
        bytes_.swap(other.bytes_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

  private:
    template <class T>
    void put_integer(T value) {
        value = network_order(value);
        std::memcpy(room(sizeof value), &value, sizeof value);
        size_ += sizeof value;
    }
    void grow(std::size_t count) {
        std::size_t capacity = capacity_ < 512 ? 512 : capacity_ * 2;
        while (capacity - size_ < count) capacity *= 2;
        std::unique_ptr<char[]> bytes(new char[capacity]);
        if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
        bytes_.swap(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace boathouse::pgwire
