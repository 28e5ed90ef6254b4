import Objects

extension Archive {
  /// A folder for files of one piece of work, on the disk of the repository where it has one.
  package func makeScratchFolder() throws(StoreError) -> ScratchFolder {
    try ScratchFolder(in: volume is LocalVolume ? volume.absolutePath("tmp") : "/tmp")
  }
}
