package io.clickmesh;

import java.util.List;
import java.util.ResourceBundle;

/** A logger that collects lines. */
record LinesLogger(List<String> lines) implements System.Logger {
  @Override
  public String getName() {
    return "lines";
  }

  @Override
  public boolean isLoggable(Level level) {
    return true;
  }

  @Override
  public void log(Level level, ResourceBundle bundle, String line, Throwable error) {
    lines.add(line);
  }

  @Override
  public void log(Level level, ResourceBundle bundle, String line, Object... parameters) {
    lines.add(line);
  }
}
