#include "pgwire/frontend.hpp"

#include <cstdlib>

#include "targets.hpp"

namespace boathouse::fuzz {

namespace {

void decode(const pgwire::Frame& frame) {
    switch (frame.type) {
        case 0:
            static_cast<void>(pgwire::decode_startup(frame));
            return;
        case 'Q':
            static_cast<void>(pgwire::decode_query(frame));
            return;
        case 'P':
            static_cast<void>(pgwire::decode_parse(frame));
            return;
        case 'B': {
            const auto bind = pgwire::decode_bind(frame);
            if (!bind) return;
            for (std::size_t i = 0; i < bind->parameters.size(); ++i)
                static_cast<void>(pgwire::format_of(bind->parameter_formats, i));
            return;
        }
        case 'D':
        case 'C':
            static_cast<void>(pgwire::decode_target(frame));
            return;
        case 'E':
            static_cast<void>(pgwire::decode_execute(frame));
            return;
        default:
            static_cast<void>(pgwire::decode_sasl_initial(frame));
            return;
    }
}

}  // namespace

void frontend(std::string_view bytes) {
    constexpr std::size_t kBytesMax = 1 << 16;
    bool startup = !bytes.empty() && (bytes[0] & 1) != 0;
    if (!bytes.empty()) bytes.remove_prefix(1);
    while (!bytes.empty()) {
        std::size_t consumed = 0;
        const auto frame = pgwire::take_frame(bytes, startup, kBytesMax, consumed);
        if (!frame || !*frame) return;
        if (consumed == 0 || consumed > bytes.size() || (*frame)->body.size() > kBytesMax) std::abort();
        decode(**frame);
        bytes.remove_prefix(consumed);
        startup = false;
    }
}

}  // namespace boathouse::fuzz
