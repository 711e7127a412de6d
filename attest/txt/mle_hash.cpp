// SPDX-License-Identifier: Apache-2.0
// See mle_hash.hpp. Structures: [ELF], [TXT-MLE T1]. UNTRUSTED: the file, though it is the owner's.
#include "attest/txt/mle_hash.hpp"

#include <algorithm>
#include <zlib.h>

namespace casemate::txt {

namespace {

constexpr std::uint8_t mle_uuid[] = {0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6, 0x42};
constexpr std::uint8_t elf32[] = {0x7f, 'E', 'L', 'F', 1, 1};
constexpr std::size_t max_image = 64 * 1024 * 1024;
constexpr std::size_t max_segments = 64;
constexpr std::uint32_t PT_LOAD = 1;

struct Segment {
    std::uint32_t offset, address, file_size, memory_size;
};

std::optional<std::vector<Segment>> segments_of(ByteView elf) {
    LittleEndianReader head{elf};
    if (!equal(head.bytes(sizeof elf32), elf32)) return std::nullopt;
    head.bytes(28 - sizeof elf32);
    const std::uint32_t table = head.u32();
    head.bytes(10);
    const std::uint16_t entry_size = head.u16();
    const std::uint16_t count = head.u16();
    if (!head.ok() || entry_size != 32 || count > max_segments || table > elf.size()) return std::nullopt;
    LittleEndianReader rows{elf.subspan(table)};
    std::vector<Segment> segments;
    for (std::uint16_t i = 0; i < count; ++i) {
        const std::uint32_t type = rows.u32();
        const std::uint32_t offset = rows.u32();
        rows.u32(); // virtual address
        const Segment segment{offset, rows.u32(), rows.u32(), rows.u32()};
        rows.u64(); // flags, alignment
        if (!rows.ok() || segment.file_size > segment.memory_size || std::uint64_t{offset} + segment.file_size > elf.size()) return std::nullopt;
        if (type == PT_LOAD) segments.push_back(segment);
    }
    return segments;
}

/// As it lies in memory, from its lowest address on; empty when it is too large.
verifier::Bytes image_of(ByteView elf, const std::vector<Segment>& segments) {
    std::uint64_t low = UINT64_MAX, high = 0;
    for (const Segment& each : segments) {
        low = std::min<std::uint64_t>(low, each.address);
        high = std::max(high, std::uint64_t{each.address} + each.memory_size);
    }
    if (segments.empty() || high - low > max_image) return {};
    verifier::Bytes image(high - low);
    for (const Segment& each : segments)
        std::copy_n(elf.begin() + each.offset, each.file_size, image.begin() + static_cast<std::ptrdiff_t>(each.address - low));
    return image;
}

struct MleHeader {
    std::uint32_t start, end, command_line, command_line_end; // offsets into the image
};

std::optional<MleHeader> header_of(const verifier::Bytes& image) {
    const auto found = std::search(image.begin(), image.end(), std::begin(mle_uuid), std::end(mle_uuid));
    if (found == image.end()) return std::nullopt;
    LittleEndianReader in{ByteView{image}.subspan(static_cast<std::size_t>(found - image.begin()) + sizeof mle_uuid)};
    in.bytes(4 * 4); // length, version, entry point, first valid page
    MleHeader header{in.u32(), in.u32(), 0, 0};
    in.u32(); // capabilities
    header.command_line = in.u32();
    header.command_line_end = in.u32();
    const bool ordered = header.start < header.end && header.command_line < header.command_line_end;
    if (!in.ok() || !ordered || header.end > image.size() || header.command_line_end > image.size()) return std::nullopt;
    return header;
}

} // namespace

std::optional<MeasuredMle> measured_mle(ByteView elf, std::string_view command_line, std::string& why) {
    const auto segments = segments_of(elf);
    verifier::Bytes image = segments ? image_of(elf, *segments) : verifier::Bytes{};
    const auto header = header_of(image);
    if (!header) {
        why = "no ELF-32 file with an MLE header";
        return std::nullopt;
    }
    const std::size_t room = header->command_line_end - header->command_line;
    if (command_line.size() >= room) { // it ends in a zero byte
        why = "the command line is longer than " + std::to_string(room - 1) + " bytes";
        return std::nullopt;
    }
    const auto place = image.begin() + header->command_line;
    std::fill_n(place, room, std::uint8_t{0});
    std::copy(command_line.begin(), command_line.end(), place);
    return MeasuredMle{{image.begin() + header->start, image.begin() + header->end}};
}

std::optional<verifier::Bytes> unpacked(ByteView file) {
    constexpr std::uint8_t gzip[] = {0x1f, 0x8b};
    if (file.size() < sizeof gzip || !equal(file.first(sizeof gzip), gzip)) return verifier::to_bytes(file);
    constexpr int gzip_window = 15 + 16;
    z_stream stream{};
    stream.next_in = const_cast<Bytef*>(file.data()); // SAFETY: zlib only reads it
    stream.avail_in = static_cast<uInt>(file.size());
    if (inflateInit2(&stream, gzip_window) != Z_OK) return std::nullopt;
    verifier::Bytes out;
    int state = Z_OK;
    while (state == Z_OK && out.size() <= max_image) {
        const std::size_t used = out.size();
        out.resize(used + 1024 * 1024);
        stream.next_out = out.data() + used;
        stream.avail_out = 1024 * 1024;
        state = inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END || out.size() > max_image) return std::nullopt;
    return out;
}

} // namespace casemate::txt
