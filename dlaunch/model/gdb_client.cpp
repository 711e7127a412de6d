// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/gdb_client.hpp"

namespace casemate::model {
namespace {

constexpr Millis answer_limit{5'000};
constexpr std::size_t read_chunk = 1024; // QEMU's packets hold 4096 characters

std::string hex(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
    return text;
}

bool is_stop(std::string_view packet) { return packet.starts_with('T') || packet.starts_with('S'); }

} // namespace

Status<Error> GdbClient::send(std::string_view text) { return write_all(fd(), as_bytes(text), answer_limit); }

Outcome<std::string> GdbClient::next_packet() {
    while (true) {
        if (auto packet = decoder_.next()) {
            TRY(send("+"));
            return *packet;
        }
        if (!wait_readable(fd(), answer_limit)) return fail("QEMU's debugger stub does not answer");
        std::vector<std::uint8_t> bytes;
        if (read_available(fd(), bytes) == ReadOutcome::end) return fail("QEMU closed its debugger stub");
        decoder_.append(bytes);
    }
}

Outcome<std::string> GdbClient::request(std::string_view payload) {
    TRY(send(encode_packet(payload)));
    while (true) {
        std::string answer = TRY(next_packet());
        if (!is_stop(answer)) return answer;
    }
}

Status<Error> GdbClient::command(std::string_view payload) {
    const std::string answer = TRY(request(payload));
    if (answer != "OK") return fail("QEMU's debugger stub answers '" + answer + "' to " + std::string{payload});
    return Done{};
}

Status<Error> GdbClient::greet() { return send(encode_packet("qSupported:xmlRegisters=i386")); }

Status<Error> GdbClient::open() {
    while (is_stop(TRY(next_packet()))) {}
    // QEMU answers no register request before its target description was read.
    TRY(request("qXfer:features:read:target.xml:0,ffb"));
    return Done{};
}

std::optional<std::string> GdbClient::poll_stop() {
    std::vector<std::uint8_t> bytes;
    if (read_available(fd(), bytes) == ReadOutcome::data) decoder_.append(bytes);
    while (auto packet = decoder_.next()) {
        (void)send("+").ok(); // a stub that does not take it shows at the next request
        if (is_stop(*packet)) return packet;
    }
    return std::nullopt;
}

Status<Error> GdbClient::resume() { return send(encode_packet("vCont;c")); }

Status<Error> GdbClient::step(const std::string& thread) {
    TRY(send(encode_packet("vCont;s:" + thread)));
    while (true) {
        if (is_stop(TRY(next_packet()))) return Done{};
    }
}

Outcome<std::vector<std::string>> GdbClient::threads() {
    std::vector<std::string> found;
    std::string answer = TRY(request("qfThreadInfo"));
    while (answer.starts_with('m')) {
        std::string_view rest = std::string_view{answer}.substr(1);
        for (std::size_t comma; !rest.empty(); rest.remove_prefix(comma == rest.size() ? comma : comma + 1)) {
            comma = std::min(rest.find(','), rest.size());
            found.emplace_back(rest.substr(0, comma));
        }
        answer = TRY(request("qsThreadInfo"));
    }
    return found;
}

Outcome<std::string> GdbClient::describe(const std::string& thread) {
    const auto text = from_hex(TRY(request("qThreadExtraInfo," + thread)));
    if (!text) return fail("QEMU's debugger stub does not describe thread " + thread);
    return std::string{text->begin(), text->end()};
}

Status<Error> GdbClient::select(const std::string& thread) { return command("Hg" + thread); }

Outcome<std::uint64_t> GdbClient::get(Register name) {
    const auto number = static_cast<unsigned>(name);
    const auto bytes = from_hex(TRY(request("p" + hex(number))));
    if (!bytes || bytes->empty() || bytes->size() > 8) return fail("QEMU gives no register " + hex(number));
    std::uint64_t value = 0;
    for (std::size_t i = bytes->size(); i-- > 0;) value = value << 8 | (*bytes)[i];
    return value;
}

Status<Error> GdbClient::set(Register name, std::uint64_t value) {
    const auto number = static_cast<unsigned>(name);
    std::uint8_t bytes[8]; // outside 64-bit code the stub takes the first four
    LittleEndianWriter{bytes}.u64(value);
    return command("P" + hex(number) + "=" + to_hex(bytes));
}

Status<Error> GdbClient::use(Addressing addressing) {
    return command(addressing == Addressing::physical ? "Qqemu.PhyMemMode:1" : "Qqemu.PhyMemMode:0");
}

Outcome<std::vector<std::uint8_t>> GdbClient::read(std::uint64_t address, std::size_t size) {
    std::vector<std::uint8_t> all;
    while (all.size() < size) {
        const std::size_t count = std::min(read_chunk, size - all.size());
        const auto bytes = from_hex(TRY(request("m" + hex(address + all.size()) + "," + hex(count))));
        if (!bytes || bytes->size() != count) return fail("unreadable memory at 0x" + hex(address + all.size()));
        all.insert(all.end(), bytes->begin(), bytes->end());
    }
    return all;
}

Status<Error> GdbClient::write(std::uint64_t address, ByteView bytes) {
    return command("M" + hex(address) + "," + hex(bytes.size()) + ":" + to_hex(bytes));
}

Status<Error> GdbClient::remove_breakpoint(std::uint64_t address) { return command("z0," + hex(address) + ",1"); }

} // namespace casemate::model
