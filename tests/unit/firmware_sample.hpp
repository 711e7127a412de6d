// SPDX-License-Identifier: Apache-2.0
// Logs as firmware writes them, byte by byte, so that each field can be bent.
#pragma once

#include "attest/appraise/firmware_log.hpp"

#include <vector>

namespace casemate::test {

struct FirmwareSample {
    struct Algorithm {
        std::uint16_t id;
        std::uint16_t size;
    };
    struct Event {
        std::uint32_t pcr;
        std::uint32_t type;
        std::vector<std::uint8_t> measured; // its digests are over these bytes
        std::vector<std::uint8_t> data{};
    };
    static constexpr std::uint32_t EV_POST_CODE = 1, EV_NO_ACTION = 3, EV_SEPARATOR = 4;
    static constexpr std::uint16_t sm3 = 0x12;

    std::uint32_t header_pcr = 0, header_type = EV_NO_ACTION, platform_class = 0;
    std::uint8_t header_digest = 0, minor = 0, major = 2, errata = 105, uintn = 2;
    std::vector<Algorithm> algorithms{{0x04, 20}, {0x0b, 32}, {0x0c, 48}};
    std::vector<std::uint8_t> vendor{1, 2, 3};
    int header_size_error = 0;
    std::vector<Event> events{{0, EV_POST_CODE, {1}, {9, 9}}, {0, EV_SEPARATOR, {2}}, {4, EV_POST_CODE, {3}}, {4, EV_POST_CODE, {4}},
                              {7, EV_SEPARATOR, {5}}, {14, EV_POST_CODE, {6}}};

    static void put(std::vector<std::uint8_t>& out, std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    static std::vector<std::uint8_t> startup_locality(std::uint8_t locality) {
        constexpr char signature[] = "StartupLocality";
        std::vector<std::uint8_t> data(signature, signature + sizeof signature);
        data.push_back(locality);
        return data;
    }
    [[nodiscard]] static std::vector<std::uint8_t> digest(const Algorithm& algorithm, const std::vector<std::uint8_t>& measured) {
        const auto bank = static_cast<measure::TPM_ALG_ID>(algorithm.id);
        if (measure::digest_size(bank) == 0) return std::vector<std::uint8_t>(algorithm.size, 0x33);
        const measure::Digest made = measure::hash(bank, measured);
        return {made.view().begin(), made.view().end()};
    }
    [[nodiscard]] std::vector<std::uint8_t> header() const {
        std::vector<std::uint8_t> body{'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0};
        put(body, platform_class, 4), put(body, minor, 1), put(body, major, 1), put(body, errata, 1), put(body, uintn, 1);
        put(body, algorithms.size(), 4);
        for (const Algorithm& each : algorithms) put(body, each.id, 2), put(body, each.size, 2);
        put(body, vendor.size(), 1);
        body.insert(body.end(), vendor.begin(), vendor.end());
        std::vector<std::uint8_t> out;
        put(out, header_pcr, 4), put(out, header_type, 4);
        out.insert(out.end(), 20, header_digest);
        put(out, body.size() + static_cast<std::size_t>(header_size_error), 4);
        out.insert(out.end(), body.begin(), body.end());
        return out;
    }
    [[nodiscard]] std::vector<std::uint8_t> log() const {
        std::vector<std::uint8_t> out = header();
        for (const Event& event : events) {
            put(out, event.pcr, 4), put(out, event.type, 4), put(out, algorithms.size(), 4);
            for (const Algorithm& each : algorithms) {
                put(out, each.id, 2);
                const auto made = digest(each, event.measured);
                out.insert(out.end(), made.begin(), made.end());
            }
            put(out, event.data.size(), 4);
            out.insert(out.end(), event.data.begin(), event.data.end());
        }
        return out;
    }
};

} // namespace casemate::test
