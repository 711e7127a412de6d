# SPDX-License-Identifier: Apache-2.0
# Build-time check of slb.bin: its header tells its own length. Prints what SKINIT will measure.
# Run by dlaunch/slb/CMakeLists.txt with -D slb=FILE.
file(SIZE ${slb} size)
file(READ ${slb} header LIMIT 4 HEX)
string(REGEX REPLACE "^....(..)(..)$" "0x\\2\\1" length ${header})
math(EXPR length ${length})
if(NOT length EQUAL size)
  message(FATAL_ERROR "slb.bin has ${size} bytes, its header says ${length}")
endif()
file(SHA256 ${slb} digest)
message(STATUS "SLB: ${size} bytes measured, SHA-256 ${digest}")
