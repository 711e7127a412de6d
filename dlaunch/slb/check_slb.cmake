# SPDX-License-Identifier: Apache-2.0
# Build-time checks of slb.bin: its header tells its own length, only base-relative relocations are left.
# Prints what SKINIT will measure. Run by dlaunch/slb/CMakeLists.txt with -D slb= elf= readelf=.
file(SIZE ${slb} size)
file(READ ${slb} header LIMIT 4 HEX)
string(REGEX REPLACE "^....(..)(..)$" "0x\\2\\1" length ${header})
math(EXPR length ${length})
if(NOT length EQUAL size)
  message(FATAL_ERROR "slb.bin has ${size} bytes, its header says ${length}")
endif()
execute_process(COMMAND ${readelf} -rW ${elf} OUTPUT_VARIABLE relocations COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "R_X86_64_[A-Z0-9_]+" kinds "${relocations}")
list(REMOVE_DUPLICATES kinds)
if(kinds AND NOT kinds STREQUAL "R_X86_64_RELATIVE")
  message(FATAL_ERROR "entry.S cannot apply: ${kinds}")
endif()
file(SHA256 ${slb} digest)
message(STATUS "SLB: ${size} bytes measured, SHA-256 ${digest}")
