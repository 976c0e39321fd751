// libFuzzer's entry; BOATHOUSE_FUZZ_TARGET is the target's name, one program each.
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    boathouse::fuzz::BOATHOUSE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
