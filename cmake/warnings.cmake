# One place for what every target of ours is compiled with.
add_library(argosy_flags INTERFACE)
target_include_directories(argosy_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(argosy_flags INTERFACE _GNU_SOURCE ARGOSY_VERSION="${PROJECT_VERSION}")
target_compile_options(argosy_flags INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum
    -Wpointer-arith -Wformat=2 -Wundef -Wvla -Werror
    -fno-common -fstack-protector-strong -ffunction-sections -fdata-sections)
target_link_options(argosy_flags INTERFACE -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now)

option(ARGOSY_SANITIZE "Address and undefined behaviour sanitizers" OFF)
if(ARGOSY_SANITIZE)
    target_compile_options(argosy_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(argosy_flags INTERFACE -fsanitize=address,undefined)
endif()

option(ARGOSY_FUZZ "Coverage for libFuzzer in everything; needs clang (preset fuzz)" OFF)
if(ARGOSY_FUZZ)
    target_compile_options(argosy_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# argosy_library(name SOURCES … PRIVATE libraries…): a static library with our flags. What it links, it
# links privately: a layer sees only what its own CMakeLists.txt names.
function(argosy_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK;FOREIGN" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE argosy_flags ${ARG_LINK} ${ARG_FOREIGN})
endfunction()
