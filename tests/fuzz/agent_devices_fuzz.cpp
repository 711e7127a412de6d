// SPDX-License-Identifier: Apache-2.0
// Any sequence of accesses of a hostile agent VM: TPM registers and buffer, control window, doorbell and
// configuration space. Commands that reach the TPM must be whole and listed; requests that reach custody must
// fit.
#include "hypervisor/devices/control_device.hpp"
#include "hypervisor/devices/tpm_crb.hpp"
#include "policy/model/tpm_commands.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

using namespace casemate;
using namespace casemate::devices;

namespace {

struct StrictTpm final : AgentTpm {
    bool running = false;
    std::array<std::uint8_t, 10> response{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0};
    bool submit(ByteView command) override {
        BigEndianReader in{command};
        in.u16();
        if (in.u32() != command.size() || std::ranges::count(policy::most_tpm_commands, in.u32()) == 0 || running)
            std::abort();
        running = true;
        return true;
    }
    std::optional<ByteView> poll() override {
        if (!running)
            std::abort();
        running = false;
        return ByteView{response};
    }
};

struct StrictOperations final : ControlOperations {
    Reply run(std::uint32_t operation, ByteView request, ByteSpan response) override {
        if (request.size() > 28 * 1024)
            std::abort();
        for (std::uint8_t& byte : response.first(64))
            byte = static_cast<std::uint8_t>(operation);
        return {ControlStatus::ok, 64};
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::vector<std::uint8_t> registers(TpmCrb::page), buffer(TpmCrb::buffer_size);
    static std::vector<std::uint8_t> window(ControlDevice::window_size);
    StrictTpm tpm;
    StrictOperations operations;
    TpmCrb crb{registers, buffer, policy::most_tpm_commands, tpm};
    ControlDevice control{window, {0xd0000000}, 0xc000, operations};
    LittleEndianReader in{{data, size}};
    while (in.remaining() >= 8) {
        const std::uint8_t action = in.u8();
        const unsigned width = in.u8();
        const std::uint16_t where = in.u16();
        const std::uint32_t value = in.u32();
        switch (action % 8) {
        case 0:
            crb.write_memory(where, width, value);
            break;
        case 1:
            (void)crb.read_memory(where, width % 9);
            break;
        case 2:
            LittleEndianWriter{ByteSpan{buffer}.subspan(where % 64, 4)}.u32(value);
            break;
        case 3:
            crb.poll();
            break;
        case 4:
            control.write_port(static_cast<std::uint16_t>(0xc000 + where % 16), width, value);
            break;
        case 5:
            control.write_config(static_cast<std::uint8_t>(where), width, value);
            break;
        case 6:
            (void)control.read_config(static_cast<std::uint8_t>(where), 1u << width % 3);
            break;
        case 7:
            LittleEndianWriter{ByteSpan{window}.subspan(where % 64, 4)}.u32(value);
            break;
        }
    }
    return 0;
}
