import Almanac
import Columns
import Foundation
import Testing

/// Files that others write to while they are read.
@Suite struct ChangedFileTests {
  /// Names of one table in every format, some compressed.
  static let names = ["t.csv", "t.jsonl", "plain.parquet", "zstd.parquet", "gzip.parquet", "plain.arrow", "lz4.arrow", "t.arrows"]

  /// More rows than one batch has, in every format.
  private static let rowCount = 70_000

  private static let table: Batch = {
    let numbers = Column(.int64, (0..<rowCount).map { .int(Int64($0)) })
    let names = Column(.string, (0..<rowCount).map { .string("name \($0 &* 7919 % 10_007)") })
    return Batch(schema: Schema([Field("k", .int64), Field("s", .string)]), columns: [numbers, names], rowCount: rowCount)
  }()

  /// Each file once; tests take copies.
  private static let files: [String: Data] = {
    guard let workshop = try? Workshop() else { return [:] }
    var files: [String: Data] = [:]
    for name in names {
      let codec = name.split(separator: ".").first.map(String.init)
      let path = workshop.path(name)
      guard let output = try? TableOutput(path: path, schema: table.schema, codec: codec == "t" ? nil : codec == "plain" ? "none" : codec)
      else { continue }
      for start in stride(from: 0, to: rowCount, by: rowCount / 5) { try? output.write(table.slice(from: start, count: rowCount / 5)) }
      try? output.finish()
      files[name] = try? FileBytes.of(path)
    }
    return files
  }()

  private static func write(_ name: String, to workshop: Workshop) throws -> String {
    let path = workshop.path(name)
    try #require(files[name]).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func byteCount(_ path: String) throws -> Int { try FileBytes.of(path).count }

  private func expectRefusal(_ error: AlmanacError?, _ path: String, _ what: String, _ context: String) {
    #expect(error?.kind == .io, "\(context)")
    #expect(error?.description == "Cannot read \(path): \(what)", "\(context)")
    #expect(error?.hint == "Wait until nothing writes to it any more, or give a copy of it.", "\(context)")
  }

  @Test(arguments: names) func aShortenedFileIsRefused(name: String) throws {
    let workshop = try Workshop()
    for batchCount in [0, 1] {
      for part in [0.0, 0.5, 1.0] {
        let path = try Self.write(name, to: workshop)
        let all = try Self.byteCount(path)
        // Also by one byte, which lies in a page that stays.
        let left = part == 1 ? all - 1 : Int(Double(all) * part)
        let file = try TableFile(path: path)
        for _ in 0..<batchCount { #expect(try file.next() != nil) }
        #expect(truncate(path, off_t(left)) == 0)
        let error = #expect(throws: AlmanacError.self) { while try file.next() != nil {} }
        expectRefusal(error, path, "it was shortened from \(all) to \(left) bytes while it was read", "\(name) after \(batchCount)")
      }
    }
  }

  /// Behind the last row too: what was read before may have been half of the old file and half of the new one.
  @Test(arguments: names) func aFileThatIsWrittenToIsRefused(name: String) throws {
    let workshop = try Workshop()
    for isAppended in [false, true] {
      let path = try Self.write(name, to: workshop)
      let file = try TableFile(path: path)
      var rowCount = 0
      while rowCount < Self.rowCount, let batch = try file.next() { rowCount += batch.rowCount }
      let descriptor = open(path, isAppended ? O_WRONLY | O_APPEND : O_WRONLY)
      #expect(Glibc.write(descriptor, "k", 1) == 1)
      // The clock of files may not have moved since the file was made.
      var later = [timespec(), timespec(tv_sec: 2_000_000_000, tv_nsec: 0)]
      later[0] = later[1]
      #expect(futimens(descriptor, later) == 0)
      close(descriptor)
      let error = #expect(throws: AlmanacError.self) { try file.next() }
      expectRefusal(error, path, "it was written to while it was read", "\(name), appended \(isAppended)")
    }
  }

  /// Written in place, as long as it was, with its time of writing put back.
  @Test(arguments: names) func aFileThatHidesWhatWasWrittenIsRefused(name: String) throws {
    let workshop = try Workshop()
    for batchCount in [0, 1] {
      let path = try Self.write(name, to: workshop)
      let file = try TableFile(path: path)
      for _ in 0..<batchCount { #expect(try file.next() != nil) }
      // The clock that files are stamped with moves in steps of up to 10 ms.
      usleep(30_000)
      let descriptor = open(path, O_RDWR)
      var before = stat()
      #expect(fstat(descriptor, &before) == 0)
      var byte: UInt8 = 0
      #expect(pread(descriptor, &byte, 1, off_t(before.st_size / 2)) == 1)
      #expect(pwrite(descriptor, &byte, 1, off_t(before.st_size / 2)) == 1)
      #expect(futimens(descriptor, [before.st_atim, before.st_mtim]) == 0)
      close(descriptor)
      let error = #expect(throws: AlmanacError.self) { while try file.next() != nil {} }
      expectRefusal(error, path, "it was changed while it was read", "\(name) after \(batchCount)")
    }
  }

  /// Permissions, owners and further names are not the bytes; but they hide no writing either.
  @Test func aFileThatIsRelabelledIsRead() throws {
    let workshop = try Workshop()
    let path = try Self.write("t.csv", to: workshop)
    let file = try TableFile(path: path)
    var rowCount = try #require(try file.next()).rowCount
    usleep(30_000)
    #expect(chmod(path, 0o600) == 0)
    rowCount += try file.next()?.rowCount ?? 0
    #expect(link(path, path + ".link") == 0)
    while let batch = try file.next() { rowCount += batch.rowCount }
    #expect(rowCount == Self.rowCount)
    usleep(30_000)
    var before = stat()
    #expect(stat(path, &before) == 0)
    #expect(utimensat(AT_FDCWD, path, [before.st_atim, before.st_mtim], 0) == 0)
    let error = #expect(throws: AlmanacError.self) { try file.next() }
    expectRefusal(error, path, "it was changed while it was read", "t.csv")
  }

  /// Labels, rows to commit and what is converted.
  @Test func everyReaderSeesAFileThatHidesWhatWasWritten() throws {
    let workshop = try Workshop()
    let path = try Self.write("t.csv", to: workshop)
    var request = Conversion.Request(input: path, output: workshop.path("out.jsonl"))
    request.format = .jsonl
    let error = #expect(throws: AlmanacError.self) {
      try Conversion.run(request) { _, count, _ in
        guard count > 0 else { return }
        usleep(30_000)
        var before = stat()
        stat(path, &before)
        utimensat(AT_FDCWD, path, [before.st_atim, before.st_mtim], 0)
      }
    }
    expectRefusal(error, path, "it was changed while it was read", "convert")
    #expect(!FileManager.default.fileExists(atPath: workshop.path("out.jsonl")))
  }

  /// The rows of a file that was replaced by another of its name are those that were there.
  @Test(arguments: names) func aReplacedFileIsReadAsItWas(name: String) throws {
    let workshop = try Workshop()
    let path = try Self.write(name, to: workshop)
    let file = try TableFile(path: path)
    var batches = [try #require(try file.next())]
    try workshop.write(name + ".new", "k,s\n1,x\n")
    #expect(rename(path + ".new", path) == 0)
    while let batch = try file.next() { batches.append(batch) }
    let rows = Batch.concatenate(batches)
    #expect(rows.rowCount == Self.rowCount)
    #expect(zip(rows.columns, Self.table.columns).allSatisfy { $0.equalsExactly($1) })
  }

  /// Columns of a batch that was handed out keep their values whatever becomes of the file.
  @Test(arguments: names) func batchesDoNotPointIntoTheFile(name: String) throws {
    let workshop = try Workshop()
    let path = try Self.write(name, to: workshop)
    let file = try TableFile(path: path)
    let batch = try #require(try file.next())
    let before = batch.slice(from: 0, count: 100).rows
    let descriptor = open(path, O_WRONLY)
    let noise = [UInt8](repeating: 0xA7, count: try Self.byteCount(path))
    #expect(Glibc.write(descriptor, noise, noise.count) == noise.count)
    close(descriptor)
    #expect(batch.slice(from: 0, count: 100).rows == before)
    #expect(truncate(path, 0) == 0)
    #expect(batch.slice(from: 0, count: 100).rows == before)
  }

  /// At any moment of a conversion or a commit: it is done with the rows that were there, or refused with exit code 4.
  @Test func commandsAreRefusedOrDoneWhenAFileIsShortened() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    for name in Self.names {
      let workshop = try Workshop()
      try workshop.declare(
        "schemas/t.yaml",
        """
        apiVersion: v3.1.0
        kind: DataContract
        id: t
        version: 1.0.0
        status: active
        schema:
        - name: t
          properties:
          - {name: k, physicalType: int64, primaryKey: true}
          - {name: s, physicalType: utf8}
        """)
      try workshop.apply()
      let output = try workshop.write("out.csv", "kept\n")
      for isCommit in [false, true] {
        let path = try Self.write(name, to: workshop)
        let left = Int.random(in: 0..<(try Self.byteCount(path)), using: &random)
        let delay = UInt32.random(in: 0..<100_000, using: &random)
        let context = "seed \(seed), \(name), commit \(isCommit), \(left) bytes left after \(delay) µs"
        let before = try workshop.state()
        let cutter = Thread {
          usleep(delay)
          _ = truncate(path, off_t(left))
        }
        cutter.start()
        do {
          if isCommit {
            let report = try workshop.commit("t", path, .replace)
            #expect(report.datasets[0].rowCount == Self.rowCount, "\(context)")
          } else {
            #expect(try Conversion.run(from: path, to: output).rowCount == Self.rowCount, "\(context)")
          }
        } catch let error as AlmanacError {
          #expect(error.kind == .io && error.description.hasPrefix("Cannot read \(path): "), "\(context): \(error)")
          #expect(try workshop.state() == before, "\(context)")
          if !isCommit { #expect(try String(contentsOfFile: output, encoding: .utf8) == "kept\n", "\(context)") }
        }
        while !cutter.isFinished { usleep(1000) }
        let names = try FileManager.default.contentsOfDirectory(atPath: workshop.folder)
        #expect(Set(names) == ["out.csv", "repository", name], "\(context)")
      }
    }
  }

  @Test func labelsThatAreShortenedAreRefusedOrJoinedWhole() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let workshop = try Workshop.training()
    let rows = (0..<40_000).map { (sensor: $0 % 3, hour: $0 % 20) }
    for _ in 0..<3 {
      let labels = try workshop.labels("labels.csv", rows)
      let left = Int.random(in: 0..<(try Self.byteCount(labels)), using: &random)
      let delay = UInt32.random(in: 0..<200_000, using: &random)
      let context = "seed \(seed), \(left) bytes left after \(delay) µs"
      let cutter = Thread {
        usleep(delay)
        _ = truncate(labels, off_t(left))
      }
      cutter.start()
      do {
        let report = try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet")))
        #expect(report.rowCount == rows.count, "\(context)")
        try FileManager.default.removeItem(atPath: workshop.path("t.parquet"))
        try FileManager.default.removeItem(atPath: workshop.path("t.parquet.manifest.json"))
      } catch let error as AlmanacError {
        #expect(error.kind == .io && error.description.hasPrefix("Cannot read \(labels): "), "\(context): \(error)")
      }
      while !cutter.isFinished { usleep(1000) }
      let names = try FileManager.default.contentsOfDirectory(atPath: workshop.folder)
      #expect(Set(names) == ["labels.csv", "repository", "rows.csv"], "\(context)")
    }
  }

  @Test func aShortenedImageIsAnErrorAndNotTheEnd() throws {
    let workshop = try Workshop.training()
    _ = try workshop.repository.materialize()
    let service = try OnlineService(repository: workshop.repository)
    let body = Array("{\"feature_service\":\"s\",\"entities\":{\"sensor\":[1]},\"at\":\"2026-02-01T04:00:00Z\"}".utf8)
    func answer() -> OnlineAnswer { body.withUnsafeBytes { service.answer($0) } }
    #expect(answer().status == 200)
    let images = "\(workshop.repository.folder)/.almanac/online/images"
    let image = "\(images)/\(try FileManager.default.contentsOfDirectory(atPath: images)[0])"
    let byteCount = try Self.byteCount(image)
    for left in [byteCount - 1, byteCount / 2, 0] {
      #expect(truncate(image, off_t(left)) == 0)
      let refused = answer()
      #expect(refused.status == 500)
      #expect(
        String(decoding: refused.body, as: UTF8.self)
          == "{\"detail\":\"Cannot read the image of view recent: its file was shortened, or its disk fails; materialize again\"}")
    }
    _ = try workshop.repository.materialize()
    #expect(try service.reload())
    #expect(answer().status == 200)
  }
}
