# The prefix layout: bin/boathouse, libexec/boathouse/boathouse-engine, lib/boathouse/{libduckdb.so,extensions/}.
install(TARGETS boathouse RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS boathouse-engine RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/boathouse)
install(FILES ${BOATHOUSE_DUCKDB_DIR}/lib/libduckdb.so DESTINATION ${CMAKE_INSTALL_LIBDIR}/boathouse)
install(DIRECTORY ${BOATHOUSE_EXTENSION_DIR} DESTINATION ${CMAKE_INSTALL_LIBDIR}/boathouse)
