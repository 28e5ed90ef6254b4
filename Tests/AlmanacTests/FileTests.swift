import Almanac
import Columns
import Foundation
import Testing

/// Tables in files: what is written is read back, and what cannot be read is named.
@Suite struct FileTests {
  @Test func sniffingTellsFormatsApart() {
    func format(_ text: String) -> FileFormat { FileFormat(sniffing: BufferSlice(copying: Array(text.utf8))) }
    #expect(format("PAR1\u{15}\u{04}") == .parquet)
    #expect(format("{\"a\":1}\n") == .jsonl)
    #expect(format("  \r\n\t{\"a\":1}") == .jsonl)
    #expect(format("a,b\n1,2\n") == .csv)
    #expect(format("") == .csv)
    #expect(FileFormat(path: "x/y.PARQUET") == .parquet)
    #expect(FileFormat(path: "y.pq") == .parquet)
    #expect(FileFormat(path: "y.ndjson") == .jsonl)
    #expect(FileFormat(path: "y.tsv") == .csv)
    #expect(FileFormat(path: "y.xlsx") == nil)
  }

  /// A name that says nothing is no obstacle: the first bytes decide.
  @Test func unnamedFormatsAreReadByTheirBytes() throws {
    let workshop = try Workshop()
    for name in ["pyarrow/labels.parquet", "transactions.csv", "transactions.jsonl"] {
      let bare = workshop.path("bare")
      try? FileManager.default.removeItem(atPath: bare)
      try FileManager.default.copyItem(atPath: Fixtures.path(name), toPath: bare)
      let file = try TableFile(path: bare)
      #expect(file.format == FileFormat(path: name))
      #expect(try file.readAll().rowCount == Fixtures.table(name).rowCount)
    }
  }

  @Test(arguments: [("csv", "parquet"), ("parquet", "csv"), ("jsonl", "tsv"), ("parquet", "jsonl"), ("tsv", "jsonl"), ("jsonl", "parquet")])
  func conversionsKeepEveryValue(first: String, second: String) throws {
    let workshop = try Workshop()
    let original = try Fixtures.table("pyarrow/transactions.parquet")
    let a = workshop.path("a.\(first)")
    let b = workshop.path("b.\(second)")
    let report = try Conversion.run(from: Fixtures.path("pyarrow/transactions.parquet"), to: a)
    #expect((report.rowCount, report.columnCount) == (20_000, 11))
    _ = try Conversion.run(from: a, to: b)
    // Text files say no types: integers read as int64, times as what they look like.
    let back = try TableFile(path: b, types: original.schema).readAll()
    #expect(back.schema.fields.map(\.name) == original.schema.fields.map(\.name))
    for (index, field) in original.schema.fields.enumerated() {
      let same = zip(back.columns[index].scalars, original.columns[index].scalars).allSatisfy { $0.isSame(as: $1) }
      #expect(same && back.rowCount == original.rowCount, "column \(field.name) through \(first) and \(second)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder).sorted() == ["a.\(first)", "b.\(second)", "repository"])
  }

  @Test func requestsThatTheInputCannotMeetAreRefused() throws {
    let workshop = try Workshop()
    try Data("a,b\n1,2\n".utf8).write(to: URL(fileURLWithPath: workshop.path("in.csv")))
    var request = Conversion.Request(input: workshop.path("in.csv"), output: workshop.path("out.parquet"))
    request.types = Schema([Field("c", .int8)])
    let missing = #expect(throws: AlmanacError.self) { try Conversion.run(request) }
    #expect(missing?.kind == .failed)
    #expect(missing?.description == "Cannot read \(workshop.path("in.csv")): There is no column c")
    request.types = Schema([Field("b", .int8)])
    request.columns = ["a"]
    #expect(try Conversion.run(request).columnCount == 1)
    request.columns = nil
    request.input = Fixtures.path("pyarrow/labels.parquet")
    let typed = #expect(throws: AlmanacError.self) { try Conversion.run(request) }
    #expect(typed?.kind == .usage)
    request.types = nil
    request.reading.nullTokens = ["NA"]
    #expect(throws: AlmanacError.self) { try Conversion.run(request) }
  }

  /// Pipes and devices keep their names and get the bytes; a symbolic link leads to its file.
  @Test func whatIsNoFileIsWrittenInPlace() throws {
    let workshop = try Workshop()
    let source = workshop.path("in.csv")
    try Data("a\n1\n".utf8).write(to: URL(fileURLWithPath: source))
    func convert(_ name: String) throws {
      var request = Conversion.Request(input: source, output: workshop.path(name))
      request.format = .csv
      _ = try Conversion.run(request)
    }
    func kind(_ name: String) -> mode_t {
      var status = stat()
      return lstat(workshop.path(name), &status) == 0 ? status.st_mode & S_IFMT : 0
    }
    #expect(mkfifo(workshop.path("pipe"), 0o600) == 0)
    // Open for both, so that neither side waits for the other.
    let descriptor = open(workshop.path("pipe"), O_RDWR)
    defer { close(descriptor) }
    try convert("pipe")
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = read(descriptor, &bytes, bytes.count)
    #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "a\n1\n")
    #expect(kind("pipe") == S_IFIFO)
    try Data("old".utf8).write(to: URL(fileURLWithPath: workshop.path("target.csv")))
    #expect(symlink("target.csv", workshop.path("link.csv")) == 0)
    try convert("link.csv")
    #expect(kind("link.csv") == S_IFLNK)
    #expect(try String(contentsOfFile: workshop.path("target.csv"), encoding: .utf8) == "a\n1\n")
    let folder = #expect(throws: AlmanacError.self) { try convert("repository") }
    #expect(folder?.description == "Cannot write \(workshop.path("repository")): it is a folder")
  }

  @Test func formsThatAFormatLacksAreNoDamage() throws {
    let workshop = try Workshop()
    let type = DataType.structure([])
    let output = try TableOutput(path: workshop.path("x.parquet"), schema: Schema([Field("s", type)]))
    let column = Column(type, [.null])
    let error = #expect(throws: AlmanacError.self) {
      try output.write(Batch(schema: Schema([Field("s", type)]), columns: [column], rowCount: 1))
      try output.finish()
    }
    #expect(error?.kind == .failed)
    #expect(error?.description == "Cannot write column s: a structure without fields has no form in Parquet")
  }

  @Test func damagedFilesAreNamed() throws {
    let workshop = try Workshop()
    let whole = try FileBytes.of(Fixtures.path("pyarrow/transactions.parquet"))
    let path = workshop.path("truncated.parquet")
    try whole.prefix(100_000).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: AlmanacError.self) { try TableFile(path: path) }
    #expect(error?.kind == .io)
    #expect(
      error?.description
        == "Cannot read \(path): Cannot read the file: it does not end with PAR1, it is truncated or no Parquet file")
    try workshop.write("empty.parquet", "")
    #expect(throws: AlmanacError.self) { try TableFile(path: workshop.path("empty.parquet")) }
    try workshop.write("broken.jsonl", "{\"a\":1}\n{\"a\":\n")
    let broken = #expect(throws: AlmanacError.self) { try TableFile(path: workshop.path("broken.jsonl")).readAll() }
    #expect(broken?.description.contains("broken.jsonl") == true)
    #expect(broken?.description.contains("line 2") == true)
    let missing = #expect(throws: AlmanacError.self) { try TableFile(path: workshop.path("missing.csv")) }
    #expect(missing?.kind == .notFound)
    #expect(missing?.description == "Cannot open \(workshop.path("missing.csv")): No such file or directory")
    let folder = #expect(throws: AlmanacError.self) { try TableFile(path: workshop.folder) }
    #expect(folder?.description == "Cannot read \(workshop.folder): it is a folder, not a file")
  }

  @Test func anUnknownEndingIsRefused() throws {
    let workshop = try Workshop()
    let path = workshop.path("out.xlsx")
    let error = #expect(throws: AlmanacError.self) { try Conversion.run(from: Fixtures.path("pyarrow/labels.parquet"), to: path) }
    #expect(error?.kind == .usage)
    #expect(error?.description == "Cannot write \(path): its name does not end in .parquet, .arrow, .arrows, .csv, .tsv or .jsonl")
    let codec = #expect(throws: AlmanacError.self) {
      try Conversion.run(from: Fixtures.path("pyarrow/labels.parquet"), to: workshop.path("out.parquet"), codec: "lzma")
    }
    #expect(codec?.kind == .usage)
    #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder) == ["repository"])
  }

  /// A file appears under its name only when it is complete.
  @Test func abandonedOutputsLeaveNothing() throws {
    let workshop = try Workshop()
    let rows = try Fixtures.table("pyarrow/labels.parquet")
    try workshop.write("out.csv", "kept\n")
    do {
      let output = try TableOutput(path: workshop.path("out.csv"), schema: rows.schema)
      try output.write(rows)
    }
    #expect(try String(contentsOfFile: workshop.path("out.csv"), encoding: .utf8) == "kept\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder).sorted() == ["out.csv", "repository"])
  }

  @Test func checkoutsSelectAndFilter() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1"), (2, 0, ""), (3, 0, "30"), (4, 0, "40")]))
    let out = workshop.path("out.csv")
    let count = try workshop.repository.checkout("main", "readings", to: out, columns: ["sensor"], filter: "value > 10 or sensor = 1")
    #expect(count == 3)
    #expect(try String(contentsOfFile: out, encoding: .utf8) == "sensor\n1\n3\n4\n")
    #expect(try workshop.repository.checkout("main", "readings", to: out, filter: "value < 0") == 0)
    #expect(try String(contentsOfFile: out, encoding: .utf8) == "sensor,event_timestamp,value\n")
    let column = #expect(throws: AlmanacError.self) { try workshop.repository.checkout("main", "readings", to: out, columns: ["nope"]) }
    #expect(column?.description == "Dataset readings has no column nope")
    let type = #expect(throws: AlmanacError.self) { try workshop.repository.checkout("main", "readings", to: out, filter: "sensor + 1") }
    #expect(type?.description == "Cannot filter by sensor + 1: expected a bool expression, found int64")
    let dataset = #expect(throws: AlmanacError.self) { try workshop.repository.checkout("main", "rides", to: out) }
    #expect(dataset?.kind == .notFound)
  }
}
